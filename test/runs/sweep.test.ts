import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sigmoid } from '../../src/math/special.ts';
import { randomStream } from '../../src/random/stream.ts';
import { checkSweep, type Sweep, type SweepDefinition } from '../../src/runs/sweep/definition.ts';
import { importances } from '../../src/runs/sweep/importance.ts';
import { parzen } from '../../src/runs/sweep/parzen.ts';
import { planSweep } from '../../src/runs/sweep/plan.ts';
import { randomSettings } from '../../src/runs/sweep/random-search.ts';
import { reportSweep } from '../../src/runs/sweep/report.ts';
import { retryable } from '../../src/runs/sweep/retryable.ts';
import {
  type Dimension,
  gridOf,
  gridValues,
  placeOf,
  type Space,
  sizeOf,
  valueAt,
} from '../../src/runs/sweep/space.ts';
import { treeParzen } from '../../src/runs/sweep/tpe.ts';
import type { Settings } from '../../src/runs/sweep/train-settings.ts';
import type { Trial, TrialOutcome } from '../../src/runs/sweep/trial.ts';

const define = (sweep: Sweep): SweepDefinition => checkSweep(sweep, 'test');

const outcomeOf = (validError: number): TrialOutcome =>
  Number.isNaN(validError)
    ? { state: 'failed', reason: 'it was told to' }
    : ({ state: 'done', result: { validError, testError: { threshold: validError / 2 } }, weights: '' } as never);

/** Follows a plan to its end, a trial at a time in an order of its own. */
function follow(definition: SweepDefinition, loss: (trial: Trial) => number, order = 1) {
  const outcomes = new Map<string, TrialOutcome>();
  const random = randomStream(order, 9);
  for (;;) {
    const plan = planSweep(definition, outcomes);
    const open = plan.trials.filter(({ key }) => !outcomes.has(key));
    if (plan.complete) {
      assert.deepEqual(open, []);
      return { plan, outcomes };
    }
    assert.ok(open.length > 0 && plan.trials.length <= plan.atMost);
    const trial = open[random.integer(open.length)];
    outcomes.set(trial.key, outcomeOf(loss(trial)));
  }
}

describe('a space', () => {
  const dimensions: Dimension[] = [
    { from: 1e-4, to: 1e-1, scale: 'log' },
    { from: -2, to: 5 },
    { from: 1, to: 6, whole: true },
    { from: 1, to: 64, whole: true, scale: 'log' },
    ['a', 'b', 'c'],
    [[64], [128, 64]],
    // Six digits would round these out of their range, or to one value.
    { from: 0.9, to: 0.9999999 },
    { from: 0.99999, to: 0.9999999 },
    { from: 1e-4, to: 0.12345678, scale: 'log' },
    { from: 0.12345612, to: 5 },
    { from: -0.9999999, to: 0 },
    { from: 1234567, to: 1234568 },
    { from: 1, to: 1 + 1e-9 },
  ];

  it('gives values within it, and finds their places again', () => {
    for (const dimension of dimensions)
      for (let i = 0; i <= 100; i++) {
        const value = valueAt(dimension, i / 100);
        const again = valueAt(dimension, Math.min(1, Math.max(0, placeOf(dimension, value))));
        assert.deepEqual(again, value);
        if (typeof value === 'number') {
          const { from, to, whole } = dimension as { from: number; to: number; whole?: boolean };
          assert.ok(value >= from && value <= to && (!whole || Number.isInteger(value)));
        }
      }
  });

  it('gives values of a narrow range that differ', () => {
    for (const dimension of dimensions) {
      if (Array.isArray(dimension) || (dimension as { whole?: boolean }).whole) continue;
      const values = Array.from({ length: 1000 }, (_, i) => valueAt(dimension, (i + 0.5) / 1000));
      assert.equal(new Set(values).size, 1000, JSON.stringify(dimension));
      const { from, to } = dimension as { from: number; to: number };
      const [first, , last] = gridValues({ ...dimension, steps: 3 } as Dimension) as number[];
      assert.deepEqual([first, last], [from, to]);
    }
  });

  it('gives every whole number and every listed value its share', () => {
    for (const [dimension, values] of [
      [dimensions[2], 6],
      [dimensions[4], 3],
    ] as const) {
      const counts = new Map<unknown, number>();
      for (let i = 0; i < 600; i++) {
        const value = valueAt(dimension, (i + 0.5) / 600);
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      assert.equal(counts.size, values);
      for (const count of counts.values()) assert.ok(Math.abs(count - 600 / values) <= 1);
    }
  });

  it('has a grid of every combination, the last setting fastest', () => {
    const grid = gridOf({ lr: { from: 0.001, to: 0.1, scale: 'log', steps: 3 }, units: [8, 16] });
    assert.deepEqual(
      grid.map(({ lr, units }) => [lr, units]),
      [0.001, 0.01, 0.1].flatMap((lr) => [8, 16].map((units) => [lr, units])),
    );
  });
});

describe('a definition', () => {
  it('says what is wrong with a field, and what was expected', () => {
    const space = { lr: [0.1] };
    for (const [given, message] of [
      [[], /A sweep is an object/],
      [{ space, serch: 'grid' }, /no field "serch". Did you mean "search"/],
      [{}, /has a `space`/],
      [{ space: { lrr: [1] } }, /`space` has no setting "lrr". Did you mean "lr"/],
      [{ space, train: { lr: 1 } }, /"lr" stands in `train` and in `space`/],
      [{ space, train: { units: Number.NaN } }, /`train.units` is NaN. Expected a whole number/],
      [{ space, train: { units: '4' } }, /`train.units` is "4". Expected a whole number/],
      [{ space, train: { nudge: '--run=x' } }, /`train.nudge` is "--run=x". Expected true or false/],
      [{ space, train: { dataDir: '/x' } }, /"dataDir", which each machine says for itself. Expected --data-dir/],
      [{ space, train: { toString: 'x' } }, /no setting "toString"/],
      [{ space: { neuron: { from: 1, to: 2 } } }, /`space.neuron` is .*Expected a text, or a list/],
      [{ space: { lr: { from: 0, to: 1, scale: 'log' } } }, /logarithmic from 0/],
      [{ space: { lr: { from: 2, to: 1 } } }, /goes from 2 to 1/],
      [{ space: { units: [8, 8] } }, /holds a value twice/],
      [{ space: { lr: { from: 1, to: 2 } }, search: 'grid' }, /range without `steps`/],
      [{ space, name: '../x' }, /`name` is "..\/x"/],
      [{ space, name: 'nul.txt' }, /`name` is "nul.txt"/],
      [{ space, name: 'x.' }, /`name` is "x."/],
      [{ space, seeds: 4, pruning: { by: 'wilcoxon' } }, /With 4 seeds .* never gets to p = 0.05\. Expected 5 seeds/],
      [{ space, pruning: { by: 'halving', epochs: 2 } }, /`train.epochs` as a number/],
      [
        { space, train: { epochs: 4 }, pruning: { by: 'halving', epochs: 4 } },
        /`pruning.epochs` is 4, and a trial has 4/,
      ],
      [{ space, metric: 'validEror' }, /`metric` is "validEror"\. Expected one of .*; did you mean "validError"\?/],
      [{ space, metric: 'testError' }, /`metric` is "testError"\. Expected one of validError, testError\.sampled/],
      [{ space, metric: 'seconds' }, /`metric` is "seconds"\. Expected one of validError, testError\.sampled/],
      [{ space, metric: 'constructor' }, /`metric` is "constructor"/],
      [{ space, metric: '' }, /`metric` is ""/],
      [{ space: { rate: { from: 0.5, to: 1.5 } } }, /`space\.rate` is 1\.5\. Expected a number between 0 and 1/],
      [{ space: { lr: { from: -1, to: 1 } } }, /`space\.lr` is -1\. Expected a number over 0/],
      [
        { space: { units: { from: 8, to: 64 } } },
        /`space\.units` takes no fractions such as 28\.60, and its range is not of whole numbers\. Expected whole: true/,
      ],
      [
        { space: { units: { from: 8, to: 64, whole: 'yes' } } },
        /`whole` of `space\.units` is "yes"\. Expected true or/,
      ],
      [{ space: { lr: { from: 1, to: 1 + 1e-12 } } }, /Expected ends that differ by 1e-9 of the larger or more/],
      [
        { space: { lr: { from: 1, to: 2, steps: 1e9 } }, search: 'grid' },
        /1000000000 configurations. Expected 100000 at most/,
      ],
      [{ space: { lr: { from: 1, to: 2 } }, configurations: 1e9 }, /1000000000 trials. Expected 100000 at most/],
      [{ space, seeds: 1e9 }, /1000000000 trials. Expected 100000 at most/],
      [{ space, search: 'tree' }, /`search` is "tree"\. Expected one of grid, random, tpe/],
    ] as const)
      assert.throws(() => checkSweep(given, 'test'), { name: 'RangeError', message });
  });

  it('fills in defaults with the same bits on every machine', () => {
    const { name, train, configurations, seeds } = define({
      space: { lr: { from: 0.1, to: 1 } },
      train: { epochs: 3 },
    });
    assert.deepEqual([name, train, configurations, seeds], ['test', { simd: 'simd', blas: 'off', epochs: 3 }, 20, 1]);
  });
});

describe('a plan', () => {
  const space = { lr: { from: 1e-4, to: 1e-1, scale: 'log' } } as const;
  const error = ({ settings, seed }: Trial): number =>
    Math.abs(Math.log10(settings.lr as number) + 2) / 10 + seed / 1000;

  it('of a grid or a random search asks for all trials at once, seed by seed', () => {
    const { trials, complete, atMost } = planSweep(define({ space, configurations: 3, seeds: 2 }), new Map());
    assert.deepEqual(
      trials.map(({ key }) => key),
      ['c000-s1', 'c001-s1', 'c002-s1', 'c000-s2', 'c001-s2', 'c002-s2'],
    );
    assert.deepEqual([complete, atMost], [false, 6]);
    assert.equal(trials[0].settings.lr, trials[3].settings.lr);
    assert.deepEqual(trials[0].settings, { simd: 'simd', blas: 'off', ...randomSettings(space, 1, 0), seed: 1 });
  });

  const small: Record<string, Space> = {
    'two values': { batch: [10, 20] },
    'whole numbers by logarithms, and a list': {
      units: { from: 1, to: 8, whole: true, scale: 'log' },
      lr: [0.1, 0.2, 0.3],
    },
    'lists of lists and switches': { gater: [[64], [], [64, 32]], nudge: [true, false], rate: ['none', 0.5] },
  };
  for (const [name, space] of Object.entries(small))
    for (const search of ['random', 'tpe'] as const)
      it(`of ${search}, of ${name}, trains no configuration twice, and all when it is asked for as many or more`, () => {
        const size = sizeOf(space);
        for (const configurations of [1, size - 1, size, size + 1, 3 * size])
          for (let seed = 1; seed <= (search === 'tpe' ? 1 : 5); seed++) {
            const settings = { space, search, configurations, seed, startup: 4, generation: 3 };
            const { plan } = follow(define(settings as Sweep), ({ configuration }) => configuration % 3);
            const different = new Set(plan.configurations.map((one) => JSON.stringify(one.settings)));
            assert.equal(plan.configurations.length, Math.min(configurations, size));
            assert.equal(different.size, plan.configurations.length);
            assert.equal(plan.atMost, plan.trials.length);
          }
      });

  const adaptive: Record<string, Sweep> = {
    tpe: { space, search: 'tpe', configurations: 17, startup: 5, generation: 4 },
    wilcoxon: { space, configurations: 6, seeds: 7, pruning: { by: 'wilcoxon' } },
    halving: { space, configurations: 9, seeds: 2, train: { epochs: 9 }, pruning: { by: 'halving', epochs: 1 } },
    both: { space, search: 'tpe', configurations: 14, seeds: 6, pruning: { by: 'wilcoxon', p: 0.1 } },
  };
  for (const [name, sweep] of Object.entries(adaptive))
    it(`of ${name} is the same in whatever order trials finish`, () => {
      const [one, two] = [1, 2].map((order) => follow(define(sweep), error, order));
      assert.deepEqual(two.plan, one.plan);
      assert.equal(one.plan.atMost, one.plan.trials.length);
      assert.equal(new Set(one.plan.trials.map(({ key }) => key)).size, one.plan.trials.length);
    });

  it('by halving keeps the best third of each rung, and goes on with their runs', () => {
    const { plan } = follow(define(adaptive.halving), error);
    const at = (epochs: number) => plan.trials.filter(({ settings }) => settings.epochs === epochs);
    assert.deepEqual([at(1).length, at(3).length, at(9).length], [18, 6, 2]);
    const best = plan.configurations.toSorted((a, b) => a.loss - b.loss);
    assert.equal(at(9)[0].configuration, best[0].number);
    assert.deepEqual(
      [...new Set(at(3).map(({ configuration }) => configuration))].sort(),
      best
        .slice(0, 3)
        .map(({ number }) => number)
        .sort(),
    );
    assert.equal(at(9)[0].run, at(1).find(({ configuration }) => configuration === best[0].number)?.run);
    assert.match(best[8].pruned ?? '', /^not among the best 3 of 9 after 1 epoch$/);
  });

  it('by Wilcoxon leaves what is worse on every seed after five of them, and nothing that is only noise', () => {
    const definition = define({ ...adaptive.wilcoxon, seeds: 8 });
    const clear = follow(definition, error).plan;
    const lengths = clear.configurations.map(({ values }) => values.length).sort();
    assert.deepEqual(lengths, [5, 5, 5, 5, 5, 8]);
    assert.match(clear.configurations.find(({ pruned }) => pruned)?.pruned ?? '', /on 5 seeds: Wilcoxon's p = 0.031/);
  });

  it('by Wilcoxon keeps most of what differs by noise alone', () => {
    const definition = define({ ...adaptive.wilcoxon, seeds: 8 });
    let pruned = 0;
    for (let noise = 0; noise < 20; noise++) {
      const { plan } = follow(definition, ({ configuration, seed }) =>
        randomStream(noise, configuration, seed).uniform(),
      );
      pruned += plan.configurations.filter((configuration) => configuration.pruned).length;
    }
    // About a fifth goes: the best is chosen among six, and there are three looks.
    assert.ok(pruned < 0.35 * 20 * 6, String(pruned));
  });

  it('takes a trial that failed for the worst, and reaches its end', () => {
    for (const sweep of Object.values(adaptive)) {
      const definition = define(sweep);
      const { plan, outcomes } = follow(definition, (trial) =>
        trial.configuration % 2 === 0 ? Number.NaN : error(trial),
      );
      const report = reportSweep(definition, plan, outcomes);
      assert.equal(report.configurations[0].number % 2, 1);
      assert.ok(report.failed.length > 0 && report.complete);
    }
    const all = follow(define(adaptive.both), () => Number.NaN);
    assert.equal(all.plan.complete, true);
  });

  it('may run failed trials again as long as nothing was chosen by their failure', () => {
    const failing = (keys: readonly string[]) => (trial: Trial) =>
      keys.includes(trial.key) ? Number.NaN : error(trial);
    for (const search of ['grid', 'random'] as const) {
      const definition = define({
        space: { lr: [1, 2, 3] },
        search,
        seeds: 2,
        ...(search === 'random' && { configurations: 3 }),
      });
      const { outcomes } = follow(definition, failing(['c000-s1', 'c002-s2']));
      assert.deepEqual(retryable(definition, outcomes), { open: ['c000-s1', 'c002-s2'], settled: [], asked: 6 });
    }
    const rungs = define({ ...adaptive.halving });
    const best = follow(rungs, error).plan.trials.at(-1)?.key as string;
    for (const [sweep, early, last] of [
      [adaptive.tpe, 'c001-s1', undefined],
      [adaptive.wilcoxon, 'c001-s1', undefined],
      [adaptive.halving, 'c001-s1-e1', best],
    ] as const) {
      const definition = define(sweep);
      const key = last ?? (follow(definition, failing([early])).plan.trials.at(-1)?.key as string);
      const { outcomes } = follow(definition, failing([early, key]));
      const { open, settled } = retryable(definition, outcomes);
      assert.deepEqual([open, settled], [[key], [early]]);
    }
  });

  it('maximizes where it is told to, and says which numbers a result has', () => {
    const definition = define({ space, goal: 'maximize', metric: 'testError.threshold', configurations: 4 });
    const { plan, outcomes } = follow(definition, error);
    const { configurations } = reportSweep(definition, plan, outcomes);
    const values = configurations.map(({ metric }) => metric.mean);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => b - a),
    );
    assert.throws(
      () => planSweep({ ...definition, metric: 'testError' }, outcomes),
      /no number "testError"\. Expected one of validError, testError.threshold/,
    );
  });
});

describe('Parzen estimators', () => {
  it('are densities: they integrate to 1, and draw what they say', () => {
    for (const [dimension, places] of [
      [{ from: 0, to: 1 }, [0.1, 0.12, 0.9]],
      [{ from: 0, to: 1 }, []],
      [
        ['a', 'b', 'c'],
        [1 / 6, 1 / 6, 5 / 6],
      ],
    ] as [Dimension, number[]][]) {
      const { density, draw } = parzen(dimension, places);
      const random = randomStream(3, 1);
      const draws = Array.from({ length: 6000 }, () => draw(random));
      let [sum, below] = [0, 0];
      for (let i = 0; i < 3000; i++) {
        sum += density((i + 0.5) / 3000) / 3000;
        if (i === 999) below = sum;
      }
      assert.ok(Math.abs(sum - 1) < 1e-4, String(sum));
      // Five standard errors.
      assert.ok(Math.abs(draws.filter((x) => x < 1 / 3).length / 6000 - below) < 5 * Math.sqrt(0.25 / 6000));
    }
  });
});

describe('TPE', () => {
  const space = {
    lr: { from: 1e-4, to: 1e-1, scale: 'log' },
    rate: { from: 0, to: 1 },
    neuron: ['a', 'b', 'c', 'd'],
    units: { from: 8, to: 64, whole: true },
  } as const;
  /** Least at lr 0.003, rate 0.8, neuron c; units do not matter. */
  const loss = (s: Settings): number =>
    (Math.log10(s.lr as number) + 2.5) ** 2 + 4 * ((s.rate as number) - 0.8) ** 2 + (s.neuron === 'c' ? 0 : 0.5);

  const best = (propose: (tried: { settings: Settings; loss: number }[], first: number) => Settings[]): number => {
    const tried: { settings: Settings; loss: number }[] = [];
    while (tried.length < 50)
      for (const settings of propose(tried, tried.length)) tried.push({ settings, loss: loss(settings) });
    return Math.min(...tried.map((one) => one.loss));
  };

  it('ends nearer to the least loss than random search in most of 20 searches', () => {
    let [better, gain] = [0, 0];
    for (let seed = 1; seed <= 20; seed++) {
      const random = (first: number) => [randomSettings(space, seed, first)];
      const drawn = best((_, first) => random(first));
      const chosen = best((tried, first) => (first < 10 ? random(first) : treeParzen(space, tried, 4, seed, first)));
      if (chosen < drawn) better++;
      gain += Math.log(drawn / chosen) / 20;
    }
    // By chance 15 or more of 20 come with probability 2%.
    assert.ok(better >= 15 && gain > 1, `${better} of 20, ${gain} nats nearer`);
  });

  it('proposes what lies apart in one generation, and within the space', () => {
    const tried = Array.from({ length: 20 }, (_, i) => randomSettings(space, 1, i)).map((settings) => ({
      settings,
      loss: loss(settings),
    }));
    const generation = treeParzen(space, tried, 6, 1, 20);
    assert.equal(new Set(generation.map((settings) => settings.lr)).size, 6);
    for (const { lr, rate, units } of generation as Record<string, number>[])
      assert.ok(
        lr >= 1e-4 && lr <= 1e-1 && rate >= 0 && rate <= 1 && Number.isInteger(units) && units >= 8 && units <= 64,
      );
  });

  it('importances tell what matters from what does not', () => {
    const tried = Array.from({ length: 60 }, (_, i) => randomSettings(space, 2, i)).map((settings) => ({
      settings,
      loss: loss(settings),
    }));
    const shares = importances(space, tried);
    assert.ok(Math.abs(Object.values(shares).reduce((a, b) => a + b) - 1) < 1e-9);
    assert.ok(shares.lr > 2 * shares.units, JSON.stringify(shares));
    assert.ok(Number.isNaN(importances(space, tried.slice(0, 3)).lr));
  });
});

describe('a report', () => {
  it('has intervals over seeds and paired differences to the best', () => {
    const definition = define({ space: { lr: [1, 2] }, search: 'grid', seeds: 3 });
    // The seeds differ by far more than the configurations, which differ by 0.01, 0.02 and 0.03.
    const { plan, outcomes } = follow(
      definition,
      ({ seed, settings }) => sigmoid(seed) + (settings.lr === 2 ? 0.01 * seed : 0),
    );
    const [first, second] = reportSweep(definition, plan, outcomes).configurations;
    assert.equal(first.settings.lr, 1);
    assert.equal(first.behind, undefined);
    // Student's quantile for two degrees of freedom is 4.3027; the differences' standard error 0.01/√3.
    assert.ok(Math.abs((second.behind?.half ?? 0) - (4.302653 * 0.01) / Math.sqrt(3)) < 1e-7);
    assert.ok(second.metric.half > 0.1);
  });
});
