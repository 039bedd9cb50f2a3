import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { packageTexts } from '../../experiments/conditional-text/corpus.ts';
import {
  layersOf,
  multiplyAddsOf,
  NETS,
  nameOfNet,
  startFactors,
  type TextNet,
  widen,
} from '../../experiments/conditional-text/nets.ts';
import { conditionalText } from '../../experiments/conditional-text/run.ts';
import { type TextDone, type TextResult, type TextTrial, textGrid } from '../../experiments/conditional-text/trial.ts';
import { bootstrap, holm } from '../../experiments/kit/bootstrap.ts';
import { frontierOf, gainOfDoubling, priceOf } from '../../experiments/kit/frontier.ts';
import { createModel } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { slow } from '../helpers/extent.ts';

const signal = new AbortController().signal;

describe('a frontier', () => {
  const points = [
    { price: 1, loss: 3 },
    { price: 4, loss: 2 },
    { price: 2, loss: 3.5 },
    { price: 16, loss: 1 },
    { price: 8, loss: 2 },
  ];
  const frontier = frontierOf(points);
  test('has the points that no cheaper one is as good as', () => {
    assert.deepEqual(
      frontier.map(({ price }) => price),
      [1, 4, 16],
    );
  });
  test('is linear in the logarithm of the price between them, and ends where nothing was tried', () => {
    assert.ok(Math.abs(priceOf(frontier, 2.5) - 2) < 1e-12);
    assert.ok(Math.abs(priceOf(frontier, 1.5) - 8) < 1e-12);
    assert.equal(priceOf(frontier, 5), 1);
    assert.equal(priceOf(frontier, 0.9), Number.POSITIVE_INFINITY);
    assert.ok(Number.isNaN(priceOf([], 1)));
  });
  test('tells what a doubling gains', () => {
    assert.equal(gainOfDoubling(frontier, 2), 0.5);
    assert.equal(gainOfDoubling(frontier, 0.1), 0.5);
    assert.equal(gainOfDoubling(frontier, 100), 0.5);
    assert.ok(Number.isNaN(gainOfDoubling(frontier.slice(0, 1), 2)));
  });
});

test('a bootstrap of a mean has about the width of its standard error, and repeats', () => {
  const runs = Array.from({ length: 40 }, (_, i) => Math.sin(12.9898 * i) * 2 + 3);
  const mean = ([own]: readonly (readonly number[])[]) => own.reduce((sum, x) => sum + x, 0) / own.length;
  const { value, low, high, p } = bootstrap([runs], mean, 1);
  const variance = runs.reduce((sum, x) => sum + (x - value) ** 2, 0) / (runs.length - 1);
  const half = 1.96 * Math.sqrt(variance / runs.length);
  assert.ok(Math.abs(high - low - 2 * half) < 0.15 * half, `${low} ${high} ${half}`);
  // None of 2,000 resamples is at most 1, and the figure itself is counted.
  assert.equal(p, 1 / 2001);
  assert.deepEqual(bootstrap([runs], mean, 1), { value, low, high, p });
  assert.equal(bootstrap([runs], (drawn) => mean(drawn) - 3, 1).p > 0.9, true);
  assert.ok(Number.isNaN(bootstrap([runs], () => Number.NaN, 1).p));
});

test('p values are corrected by Holm', () => {
  assert.deepEqual(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
  assert.deepEqual(holm([0.01, Number.NaN, 0.03]), [0.02, Number.NaN, 0.03]);
});

test('names tell all nets and budgets of a form apart', () => {
  for (const form of [conditionalText.quick, conditionalText.medium ?? assert.fail(), conditionalText.full]) {
    const all = form.trials([1, 2]);
    assert.equal(new Set(all.map((trial) => conditionalText.nameOf(trial))).size, all.length);
  }
  assert.equal(multiplyAddsOf({ widths: [128] }), 512 * 256 + 256 * 128 + 128 * 256);
});

test('weights of a wide start are spread as those of a dense net of the open units', async () => {
  const net: TextNet = { widths: [], gates: { units: 1024, size: 32, rate: 1 / 8, neuron: 'top-k', wide: true } };
  const engine = await createEngine({ threads: 1 });
  try {
    const model = createModel(engine, { inputs: 32, seed: 1, layers: layersOf(net) });
    widen(model, net);
    const width = (name: string): number => {
      const { values } = (model.parameters.find((own) => own.name === name) ?? assert.fail(name)).tensor;
      let most = 0;
      for (const value of values) most = Math.max(most, Math.abs(value));
      return most;
    };
    // Glorot's bound, reached to a hundredth by thousands of uniform numbers.
    const near = (value: number, bound: number) => assert.ok(Math.abs(value / bound - 1) < 0.01, `${value} ${bound}`);
    near(width('body.experts.weights'), Math.sqrt(6 / (256 + 32)));
    // Gates start at about a half.
    near(width('output.weights'), 2 * Math.sqrt(6 / (1024 / 8 + 256)));
    near(width('dense1.weights'), Math.sqrt(6 / (512 + 256)));
  } finally {
    engine.close();
  }
  assert.deepEqual(startFactors({ widths: [64] }), { experts: 1, output: 1 });
});

test('the searches of a form stay the same when it gets another budget', () => {
  const sizes = { searchExamples: 10, learningRates: [0.001], valid: 1, test: 1 };
  const searches = (budgets: readonly number[]) =>
    textGrid(NETS.medium, budgets, sizes)([1]).filter(({ stage }) => stage === 'search');
  assert.deepEqual(searches([100]), searches([100, 200]));
});

/** A record of a trial that never ran. */
function record(net: TextNet, seed: number, examples: number, { nats, work, seconds, factors }: Fake): TextDone {
  const result: TextResult = {
    learningRate: 0.001,
    validNats: nats,
    curve: [{ seconds, examples, validNats: nats }],
    final: {
      testNats: nats,
      testError: nats / 10,
      multiplyAdds: { test: work, training: work },
      open: net.gates?.rate ?? 1,
      ...{ dead: 0, alwaysOn: 0 },
      ...(factors && {
        times: [{ engine: 'e', one: timesOf(factors), hundred: timesOf(factors), step: timesOf(factors) }],
      }),
    },
    dataChecksum: 'none',
    engine: 'e',
  };
  const against = net.gates && factors ? LADDER : [];
  const trial: TextTrial = {
    ...{ stage: 'final', net, examples, searchExamples: 1, valid: 1, test: 1, learningRates: [0.001], against, seed },
  };
  return { trial, result, seconds: 1 };
}
interface Fake {
  readonly nats: number;
  readonly work: number;
  readonly seconds: number;
  readonly factors?: readonly number[];
}
const timesOf = (factors: readonly number[]) => ({ gated: 1, dense: factors, times: factors });
const LADDER: TextNet[] = [{ widths: [128] }, { widths: [512] }, { widths: [2048] }];
const gatedNet = (neuron: string): TextNet => ({ widths: [], gates: { units: 8192, size: 64, rate: 1 / 32, neuron } });

/** A ladder that gains 0.1·ln 2 nats, a tenth of a bit, with every doubling, and a gated net that is `better` times as good as its price. */
function records(better: number): TextDone[] {
  const cost = [1, 4, 16];
  return [1, 2, 3].flatMap((seed) => {
    const jitter = 1e-4 * seed;
    const loss = (price: number) => 2 - 0.1 * Math.log(price) + jitter;
    return [
      ...LADDER.map((net, i) =>
        record(net, seed, 1000, { nats: loss(cost[i]), work: cost[i] * 1e5, seconds: cost[i] }),
      ),
      record(gatedNet('noisy-top-k'), seed, 1000, {
        ...{ nats: loss(2 * better), work: 2e5, seconds: 2, factors: cost.map((own) => own / 2) },
      }),
      record(gatedNet('hash'), seed, 1000, {
        nats: loss(1),
        work: 2e5,
        seconds: 2,
        factors: cost.map((own) => own / 2),
      }),
    ];
  });
}

describe('the report', () => {
  const outcomes = (better: number) => {
    const { findings, tables, charts } = conditionalText.report(records(better));
    assert.ok(tables.length === 2 && charts.every((chart) => /^<svg[\s\S]*<\/svg>\n$/.test(chart)));
    return findings.map(({ outcome }) => outcome);
  };
  test('finds the factor that is there, in every measure', () => {
    const { findings, tables } = conditionalText.report(records(3));
    assert.deepEqual(outcomes(3), ['holds', 'holds', 'holds', 'holds', 'holds']);
    for (const trial of tables[1].rows[0].slice(1)) assert.match(trial, /^(2\.9[5-9]|3\.0[0-5]) \(/);
    assert.match(findings[0].evidence, /the target \(3, aim 6\)|less than the target/);
    assert.match(findings[0].evidence, /gains 0\.100 bits a doubling/);
  });
  test('refutes what costs more, and does not count controls among the gated nets', () => {
    assert.deepEqual(outcomes(0.7), ['refuted', 'refuted', 'refuted', 'refuted', 'holds']);
    assert.equal(conditionalText.report(records(0.7)).tables[1].rows.length, 1);
  });
  test('says where gates that learn are worse than gates that do not', () => {
    assert.equal(outcomes(0.4).at(-1), 'refuted');
  });
  test('tests nothing where a larger dense net is hardly better', () => {
    const flat = records(3).map(({ result, ...own }) => {
      const { final = assert.fail() } = result;
      return { ...own, result: { ...result, final: { ...final, testNats: 2 + final.testNats / 100 } } };
    });
    assert.deepEqual(
      conditionalText
        .report(flat)
        .findings.slice(0, 4)
        .map(({ outcome }) => outcome),
      Array(4).fill('not tested'),
    );
  });
  test('says nothing before there are both', () => {
    assert.deepEqual(conditionalText.report([]).findings, []);
  });
});

test('texts of packages are in three parts that share no package', { skip: slow }, async () => {
  const { train, valid, test: last } = await packageTexts(signal);
  const total = train.length + valid.length + last.length;
  assert.ok(total > 1e7 && train.length > 0.7 * total, `${train.length} ${valid.length} ${last.length}`);
});

test('a gated net and its controls are trained with the rate that their searches chose, and timed beside dense nets', {
  skip: slow,
}, async () => {
  const nets = NETS.quick.slice(0, 1).concat(NETS.quick.slice(3));
  assert.ok(nets.some(({ widths, gates }) => gates && widths.length > 0));
  const trials = textGrid(nets, [4096], {
    searchExamples: 2048,
    learningRates: [0.002, 0.004],
    valid: 1000,
    test: 2000,
  })([1]);
  const done: TextDone[] = [];
  for (const trial of trials) {
    assert.equal(conditionalText.ready?.(trial, done), true);
    done.push({
      trial,
      result: await conditionalText.run(trial, { signal, onProgress() {}, finished: done }),
      seconds: 1,
    });
  }
  const finals = done.filter(({ trial }) => trial.stage === 'final');
  assert.deepEqual(
    finals.map(({ trial }) => nameOfNet(trial.net)),
    nets.map(nameOfNet),
  );
  for (const { trial, result } of finals) {
    const { final, curve } = result;
    assert.ok(final && final.testNats > 1 && final.testNats < Math.log(256), `${final?.testNats}`);
    assert.equal(curve.length, 16);
    assert.ok(curve.every(({ seconds }, i) => seconds > (curve[i - 1]?.seconds ?? 0)));
    assert.ok(Math.abs(final.multiplyAdds.test / multiplyAddsOf(trial.net) - 1) < 0.35, `${final.multiplyAdds.test}`);
    assert.equal(final.times === undefined, trial.net.gates === undefined);
  }
  assert.ok(conditionalText.report(done).findings.length === 5);
});
