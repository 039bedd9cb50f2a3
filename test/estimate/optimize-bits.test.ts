import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  adam,
  type BitsResult,
  type BitsStepEvent,
  BlackBoxError,
  estimateGradient,
  type OptimizeBitsOptions,
  optimizeBits,
  sgd,
} from '../../src/estimate/index.ts';
import { optimizers } from '../../src/optim/index.ts';
import { randomStream } from '../../src/random/stream.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

const weights = drawn(normal(1), 10, 51);
/** A loss in which bits depend on their neighbours. */
const chain = (bits: ArrayLike<number>): number => {
  let loss = 0;
  for (let i = 0; i < bits.length; i++) loss += weights[i] * bits[i] * (1 - 2 * (bits[i + 1] ?? 0));
  return loss;
};

const untimed = ({ ...event }: BitsStepEvent | BitsResult): object => {
  for (const time of ['seconds', 'secondsLeft', 'evaluationsPerSecond'])
    delete (event as Record<string, unknown>)[time];
  return event;
};

async function eventsOf(options: OptimizeBitsOptions): Promise<(BitsStepEvent | BitsResult)[]> {
  const events = [];
  for await (const event of optimizeBits(options)) events.push(event);
  return events;
}

describe('optimizeBits', () => {
  const base = { neuron: 'rloo:K=3', units: 10, loss: chain, steps: 20, seed: 6 } as const;

  it('tells of every step, and of the result last', async () => {
    const seen: { bits: number[]; loss: number }[] = [];
    const loss = (bits: Float64Array): number => {
      seen.push({ bits: [...bits], loss: chain(bits) });
      return chain(bits);
    };
    const events = await eventsOf({ ...base, loss, batch: 4 });
    assert.equal(events.length, 21);
    events.forEach((event, i) => {
      const known = seen.slice(0, 12 * Math.min(20, i + 1));
      const best = known.reduce((a, b) => (b.loss < a.loss ? b : a));
      const said = event.event === 'step' ? event.best : event;
      assert.deepEqual([[...said.bits], said.loss], [best.bits, best.loss]);
      assert.equal(event.evaluations, known.length);
      if (event.event !== 'step') return;
      assert.deepEqual([event.step, event.steps], [i + 1, 20]);
      const own = seen.slice(12 * i, 12 * (i + 1));
      assertClose([event.loss], [own.reduce((sum, { loss }) => sum + loss / 12, 0)], { absolute: 1e-12 }, 'mean loss');
      assert.ok(event.evaluationsPerSecond > 0 && event.secondsLeft >= 0);
    });
    const result = events[20] as BitsResult;
    assert.deepEqual([result.event, result.steps, result.logits.length, result.state.step], ['result', 20, 10, 20]);
    assert.equal(seen.length, 240);
  });

  it('the same seed gives the same events, also from promises many at once; another seed gives others', async () => {
    const expected = (await eventsOf(base)).map(untimed);
    assert.deepEqual((await eventsOf(base)).map(untimed), expected);
    const loss = async (bits: Float64Array, { draw }: { draw: number }): Promise<number> => {
      for (let turn = draw; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      return chain(bits);
    };
    assert.deepEqual((await eventsOf({ ...base, loss, concurrency: 3 })).map(untimed), expected);
    assert.notDeepEqual((await eventsOf({ ...base, seed: 7 })).map(untimed), expected);
  });

  /** The optimizers as their papers print them: what a step takes from every weight. */
  const rules: Record<string, { optimizer: OptimizeBitsOptions['optimizer']; rule: () => Rule }> = {
    'the default, Adam at 0.1': { optimizer: undefined, rule: () => plainAdam(0.1, 0.9, 0.999) },
    adam: { optimizer: 'adam', rule: () => plainAdam(0.001, 0.9, 0.999) },
    'Adam with its own settings': {
      optimizer: adam({ learningRate: 0.3, beta1: 0.5, beta2: 0.8 }),
      rule: () => plainAdam(0.3, 0.5, 0.8),
    },
    sgd: { optimizer: 'sgd', rule: () => (gradient) => gradient.map((g) => 0.1 * g) },
    momentum: {
      optimizer: sgd({ learningRate: 0.2, momentum: 0.7 }),
      rule: () => {
        let velocity = new Float64Array(10);
        return (gradient) => (velocity = velocity.map((v, i) => 0.7 * v + 0.2 * gradient[i]));
      },
    },
    'one’s own, with signs': {
      optimizer: {
        ...sgd(),
        name: 'signs',
        init: () => [],
        update(_engine, parameter, gradient) {
          const signs = gradient.values;
          parameter.values.set(parameter.values.map((value, i) => value - 0.05 * Math.sign(signs[i])));
        },
      },
      rule: () => (gradient) => gradient.map((g) => 0.05 * Math.sign(g)),
    },
  };
  type Rule = (gradient: Float64Array) => Float64Array;
  const plainAdam = (rate: number, beta1: number, beta2: number): Rule => {
    let [step, first, second] = [0, new Float64Array(10), new Float64Array(10)];
    return (gradient) => {
      step++;
      first = first.map((m, i) => beta1 * m + (1 - beta1) * gradient[i]);
      second = second.map((v, i) => beta2 * v + (1 - beta2) * gradient[i] ** 2);
      return first.map(
        (m, i) => (rate * m) / (1 - beta1 ** step) / (Math.sqrt(second[i] / (1 - beta2 ** step)) + 1e-8),
      );
    };
  };

  it('every optimizer of the library is among those below', () =>
    assert.deepEqual(
      Object.keys(optimizers).filter((name) => !(name in rules)),
      [],
    ));

  for (const [what, { optimizer, rule }] of Object.entries(rules))
    it(`is gradient descent on estimates: ${what}`, async () => {
      const start = drawn(normal(1), 10, 52);
      const [batch, steps, neuron] = [3, 9, 'stochastic-binary'];
      let logits = Float64Array.from(start);
      let state: BitsResult['state'] | undefined;
      const update = rule();
      for (let step = 0; step < steps; step++) {
        const rows = Float64Array.from({ length: batch * 10 }, (_, i) => logits[i % 10]);
        const estimate = await estimateGradient({ neuron, logits: rows, rows: batch, loss: chain, state, seed: 6 });
        ({ state } = estimate);
        const mean = Float64Array.from({ length: 10 }, (_, unit) =>
          [0, 1, 2].reduce((sum, row) => sum + estimate.gradient[row * 10 + unit] / 3, 0),
        );
        const taken = update(mean);
        logits = logits.map((logit, i) => logit - taken[i]);
      }
      const options = { neuron, loss: chain, logits: start, steps, batch, seed: 6, ...(optimizer && { optimizer }) };
      const result = await optimizeBits(options).result();
      assertClose(result.logits, logits, { absolute: 1e-9 }, 'logits');
      assert.notDeepEqual(result.logits, start);
    });

  it('result() runs what is left, after any event', async () => {
    const expected = untimed(await optimizeBits(base).result());
    const run = optimizeBits(base);
    await run.next();
    assert.deepEqual(untimed(await run.result()), expected);
    assert.deepEqual(untimed(await run.result()), expected);
  });

  it('after a break, result() is what was found until there', async () => {
    const run = optimizeBits(base);
    let last: BitsStepEvent | BitsResult | undefined;
    for await (const event of run) {
      last = event;
      if (event.event === 'step' && event.step === 4) break;
    }
    const { steps, loss, bits, evaluations } = await run.result();
    assert.ok(last?.event === 'step');
    assert.deepEqual({ steps, evaluations, loss, bits }, { steps: 4, evaluations: 12, ...last.best });
  });
});

describe('problems', () => {
  const nodes = 60;
  const graph = (seed: number) => {
    const random = randomStream(seed);
    const edges: [number, number][] = [];
    for (let a = 0; a < nodes; a++) for (let b = a + 1; b < nodes; b++) if (random.uniform() < 0.15) edges.push([a, b]);
    const cut = (side: ArrayLike<number>): number =>
      edges.reduce((sum, [a, b]) => sum + Number(side[a] !== side[b]), 0);
    return { edges, cut, random };
  };

  /** One node after the other, on the side where it cuts more edges. */
  const greedyCut = ({ edges, cut }: ReturnType<typeof graph>): number => {
    const side = new Float64Array(nodes);
    for (let node = 0; node < nodes; node++) {
      const before = edges.filter(([, b]) => b === node).map(([a]) => side[a]);
      side[node] = before.filter((other) => other === 0).length > before.length / 2 ? 1 : 0;
    }
    return cut(side);
  };

  for (const [neuron, steps] of [
    ['local-expectation', 300],
    ['rloo:K=16', 1000],
    ['vimco', 1000],
    ['nvil', 12_000],
  ] as const)
    it(`max-cut on random graphs of 60 nodes: ${neuron} beats a greedy start`, {
      skip: neuron !== 'local-expectation' && slow,
    }, async () => {
      for (const seed of [1, 2, 3]) {
        const problem = graph(seed);
        const loss = (bits: Float64Array): number => -problem.cut(bits);
        const result = await optimizeBits({ neuron, units: nodes, loss, steps }).result();
        assert.equal(-problem.cut(result.bits), result.loss);
        assert.ok(-result.loss > greedyCut(problem), `${-result.loss} and ${greedyCut(problem)} on graph ${seed}`);
      }
    });

  it('max-cut: 300 local searches find as much on the graph of the page, as it says', () => {
    const { cut, random } = graph(3);
    let best = 0;
    for (let search = 0; search < 300; search++) {
      const side = Float64Array.from({ length: nodes }, () => Number(random.uniform() < 0.5));
      for (let better = true; better; ) {
        better = false;
        for (let node = 0; node < nodes; node++) {
          const before = cut(side);
          side[node] = 1 - side[node];
          if (cut(side) > before) better = true;
          else side[node] = 1 - side[node];
        }
      }
      best = Math.max(best, cut(side));
    }
    assert.equal(best, 208);
  });

  it('knapsack of 25 things: the optimum of dynamic programming is found', async () => {
    const [things, capacity] = [25, 100];
    const random = randomStream(12);
    const sizes = Array.from({ length: things }, () => 3 + random.integer(20));
    const values = sizes.map((size) => size + random.integer(15));
    const best = new Array(capacity + 1).fill(0);
    for (let thing = 0; thing < things; thing++)
      for (let room = capacity; room >= sizes[thing]; room--)
        best[room] = Math.max(best[room], best[room - sizes[thing]] + values[thing]);
    const totals = (bits: ArrayLike<number>, of: number[]): number => of.reduce((sum, x, i) => sum + x * bits[i], 0);
    const loss = (bits: Float64Array): number => 3 * Math.max(0, totals(bits, sizes) - capacity) - totals(bits, values);
    const run = { neuron: 'local-expectation', units: things, loss, steps: 400 };
    const found = await optimizeBits(run).result();
    assert.ok(totals(found.bits, sizes) <= capacity);
    assert.equal(-found.loss, best[capacity]);
  });

  it('groups of which one unit is 1: every group of an assignment is one choice', async () => {
    const costs = drawn(normal(1), 12, 53);
    const loss = (bits: Float64Array): number => {
      for (let group = 0; group < 3; group++)
        assert.equal(
          bits.subarray(4 * group, 4 * group + 4).reduce((a, b) => a + b),
          1,
        );
      return bits.reduce((sum, bit, i) => sum + bit * costs[i], 0);
    };
    const { loss: found } = await optimizeBits({ neuron: 'categorical-rloo', units: 12, loss, steps: 200 }).result();
    const cheapest = [0, 4, 8].reduce((sum, first) => sum + Math.min(...costs.subarray(first, first + 4)), 0);
    assertClose([found], [cheapest], { absolute: 1e-12 }, 'cost');
  });
});

describe('runs that end early', () => {
  const base = { neuron: 'rloo', units: 10, loss: chain, steps: 50 } as const;

  it('a signal: the iteration throws its reason, result() gives what was found', async () => {
    const controller = new AbortController();
    const run = optimizeBits({ ...base, signal: controller.signal });
    const reason = new Error('enough');
    await assert.rejects(async () => {
      for await (const event of run) if (event.event === 'step' && event.step === 7) controller.abort(reason);
    }, reason);
    const { steps, evaluations } = await run.result();
    assert.deepEqual([steps, evaluations], [7, 14]);
  });

  it('a timer’s signal stops a synchronous loss', async () => {
    const run = optimizeBits({ ...base, steps: 1e9, signal: AbortSignal.timeout(30) });
    await assert.rejects(run.result(), { name: 'TimeoutError' });
    assert.ok((await run.result()).steps > 0);
  });

  it('a loss that fails: the step is named, and result() ends before it', async () => {
    let calls = 0;
    const loss = (bits: Float64Array): number => (++calls === 8 ? Number.NaN : chain(bits));
    const run = optimizeBits({ ...base, loss });
    await assert.rejects(run.result(), (error) => {
      assert.ok(error instanceof BlackBoxError);
      assert.match(error.message, /^Evaluation 2 of 2 in step 4 \(row 0, draw 1, bits [01]{10}\): the loss gave NaN/);
      return true;
    });
    const whole = await optimizeBits({ ...base, steps: 3 }).result();
    assert.deepEqual(untimed(await run.result()), untimed(whole));
  });

  it('before the first step there is no result', async () => {
    const run = optimizeBits({ ...base, signal: AbortSignal.abort(new Error('never')) });
    await assert.rejects(run.result(), /never/);
    await assert.rejects(run.result(), /The run ended before its first step/);
  });

  it('an update that makes logits infinite is told of with its step and unit', async () => {
    const run = optimizeBits({ ...base, loss: (bits) => 1e200 * chain(bits), optimizer: sgd({ learningRate: 1e200 }) });
    await assert.rejects(run.result(), {
      name: 'RangeError',
      message:
        /The update of step 1 made the logit of unit \d -?Infinity\. Expected a finite number: a lower learning rate/,
    });
  });

  const refused: [string, Partial<Record<keyof OptimizeBitsOptions, unknown>>, RegExp][] = [
    ['a neuron that reads ∂loss/∂h', { neuron: 'straight-through' }, /"straight-through" reads ∂loss\/∂h, .* rloo/],
    ['neither units nor logits', { units: undefined }, /Neither `units` nor `logits` was given/],
    ['no units', { units: 0 }, /`units` is 0\. Expected a whole number from 1 up/],
    ['logits that do not fit', { logits: [1, 2] }, /2 logits were given for `units: 10`\. Expected one a unit/],
    ['half a step', { steps: 0.5 }, /`steps` is 0\.5\. Expected a whole number from 1 up/],
    ['no batch', { batch: 0 }, /`batch` is 0/],
    ['no concurrency', { concurrency: Number.NaN }, /`concurrency` is NaN/],
    ['a loss that is no function', { loss: 'max-cut' }, /`loss` is string\. Expected a function/],
    ['logits that are not finite', { logits: weights.with(3, Number.NaN) }, /unit 3 in row 0 is NaN/],
    ['an unknown optimizer', { optimizer: 'adm' }, /There is no optimizer "adm"\. Did you mean "adam"\?/],
    ['too many units', { neuron: 'exact', units: 13 }, /13 units/],
    ['a seed that is none', { seed: 0.5 }, /The seed is 0\.5/],
  ];
  for (const [what, other, message] of refused)
    it(`${what}: refused at the call`, () =>
      assert.throws(() => optimizeBits({ ...base, ...other } as OptimizeBitsOptions), { message }));
});
