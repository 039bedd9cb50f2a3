import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BlackBoxError,
  type EstimateOptions,
  type EstimatorState,
  estimateGradient,
  type GradientEstimate,
  lossReaders,
} from '../../src/estimate/index.ts';
import { sigmoid } from '../../src/math/special.ts';
import { defineNeuron, type Neuron } from '../../src/neurons/contract.ts';
import { noiseKey } from '../../src/random/stream.ts';
import { allocateState, fireRows, pullFire } from '../../src/tensor/fire.ts';
import { allInstances as instances } from '../conformance/instances.ts';
import { reference } from '../helpers/engines.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

const readers = instances.filter(({ neuron }) => neuron.reads === 'loss');
const LOGITS = [0.7, -1.3, 2.1, -0.4, 1.6, -2.7, 0.25, -0.9];

/** A number of its own for every state of up to eight bits: as far from linear as a loss can be. */
const table = drawn(normal(2), 256, 31);
const tableLoss = (bits: ArrayLike<number>): number =>
  table[Array.from(bits).reduce((at, bit, i) => at + bit * 2 ** i)];

/** As many units as the table has room for, in whole groups. */
const unitsOf = ({ group = 1 }: Neuron): number => group * Math.floor(8 / group);

/** All states of the units with their probabilities, and E[h]: independent bits, or groups of which one is 1. */
function statesOf(logits: readonly number[], group: number | undefined) {
  let states: { bits: number[]; probability: number }[] = [{ bits: [], probability: 1 }];
  const means: number[] = [];
  for (let first = 0; first < logits.length; first += group ?? 1) {
    const powers = logits.slice(first, first + (group ?? 1)).map(Math.exp);
    const total = powers.reduce((a, b) => a + b, group ? 0 : 1);
    const p = powers.map((power) => power / total);
    means.push(...p);
    const choices = group
      ? p.map((probability, chosen) => ({ bits: p.map((_, k) => Number(k === chosen)), probability }))
      : [0, 1].map((bit) => ({ bits: [bit], probability: bit ? p[0] : 1 - p[0] }));
    states = states.flatMap((state) =>
      choices.map(({ bits, probability }) => ({
        bits: [...state.bits, ...bits],
        probability: state.probability * probability,
      })),
    );
  }
  return { states, means };
}

/** ∂E[loss]/∂logits = Σ_h P(h)·loss(h)·(h − E[h]), over all states. */
function enumerated(logits: readonly number[], group: number | undefined): number[] {
  const { states, means } = statesOf(logits, group);
  return means.map((mean, unit) =>
    states.reduce((sum, { bits, probability }) => sum + probability * tableLoss(bits) * (bits[unit] - mean), 0),
  );
}

const repeated = (logits: readonly number[], rows: number): Float64Array =>
  Float64Array.from({ length: rows * logits.length }, (_, i) => logits[i % logits.length]);

/** Mean and standard error over the rows of one estimate, a unit each. */
function moments({ gradient }: GradientEstimate, units: number) {
  const rows = gradient.length / units;
  const mean = new Float64Array(units);
  const square = new Float64Array(units);
  gradient.forEach((value, i) => {
    mean[i % units] += value / rows;
    square[i % units] += value ** 2 / rows;
  });
  return { mean, error: square.map((value, unit) => Math.sqrt(Math.max(0, value - mean[unit] ** 2) / rows)) };
}

const EVALUATIONS = 30_000;
/** Standard errors that nothing exceeds by chance. */
const BEYOND_CHANCE = 6;

/** The largest distance from the enumerated gradient in standard errors, from a state that three estimates have moved. */
async function scoreOf(neuron: Neuron): Promise<{ z: number; precision: number }> {
  const logits = LOGITS.slice(0, unitsOf(neuron));
  const loss = tableLoss;
  let state: EstimatorState | undefined;
  for (let i = 0; i < 3; i++) ({ state } = await estimateGradient({ neuron, logits, loss, state, seed: 4 }));
  const { evaluations: draws } = await estimateGradient({ neuron, logits, loss });
  const rows = Math.floor(EVALUATIONS / draws);
  const estimate = await estimateGradient({ neuron, logits: repeated(logits, rows), rows, loss, state, seed: 5 });
  assert.equal(estimate.evaluations, rows * draws);
  const { mean, error } = moments(estimate, logits.length);
  const scale = neuron.claims.scale?.(state?.averages ?? {}) ?? 1;
  const truth = enumerated(logits, neuron.group);
  const scores = truth.map((value, unit) => Math.abs(scale * mean[unit] - value) / (scale * error[unit] + 1e-12));
  return { z: Math.max(...scores), precision: (scale * Math.max(...error)) / Math.max(...truth.map(Math.abs)) };
}

describe('estimateGradient against the sum over all states', () => {
  it('there are unbiased neurons with one draw, several draws, states and groups among those tested', () => {
    const unbiased = readers.filter(({ neuron }) => neuron.claims.unbiased);
    for (const is of [
      ({ draws = 1 }: Neuron) => draws === 1,
      ({ draws = 1 }: Neuron) => draws !== 1,
      ({ state }: Neuron) => state !== undefined,
      ({ group }: Neuron) => group !== undefined,
      ({ claims }: Neuron) => claims.scale !== undefined,
    ])
      assert.ok(unbiased.some(({ neuron }) => is(neuron)));
  });

  for (const [i, { title, neuron }] of readers.entries())
    if (neuron.claims.unbiased)
      it(`${title} has its mean on ${unitsOf(neuron)} units`, { skip: i % 5 > 0 && slow }, async () => {
        const { z, precision } = await scoreOf(neuron);
        assert.ok(precision < 0.1, `too noisy to show a bias: ${precision}`);
        assert.ok(z < BEYOND_CHANCE, `${z} standard errors`);
      });

  it('a neuron with a bias is told from those without', async () => {
    for (const title of ['spsa:c=1', 'vimco']) {
      const { neuron } = readers.find((reader) => reader.title === title) ?? assert.fail(title);
      const { z } = await scoreOf(neuron);
      assert.ok(z > BEYOND_CHANCE, `${title}: ${z} standard errors`);
    }
  });

  it('neurons that fire every state give it without noise', async () => {
    for (const neuron of ['exact', 'categorical-exact']) {
      const logits = LOGITS;
      const { gradient } = await estimateGradient({ neuron, logits, loss: tableLoss });
      assertClose(gradient, enumerated(logits, neuron === 'exact' ? undefined : 4), { absolute: 1e-12 }, neuron);
    }
  });
});

describe('estimateGradient', () => {
  for (const [i, { title, neuron }] of readers.entries())
    it(`${title} gives what a site of an engine gives, step after step`, { skip: i % 5 > 0 && slow }, async () => {
      const [rows, units, seed] = [3, unitsOf(neuron), 2 ** 40 + 3];
      const logits = drawn(normal(1), rows * units, 8);
      const sites = allocateState(reference, neuron, units);
      let state: EstimatorState | undefined;
      for (let step = 0; step < 3; step++) {
        const estimate = await estimateGradient({ neuron, logits, rows, loss: tableLoss, state, seed });
        reference.beginStep();
        const attributes = {
          neuron,
          mode: 'train',
          source: { key: noiseKey(seed), step, layer: 0, draw: 0 },
          state: sites,
        } as const;
        const input = reference.tensor(logits, [rows, units]);
        const { output, saved } = fireRows(reference, input, attributes);
        assert.deepEqual(estimate.bits, output.values);
        const losses = reference.tensor(estimate.losses);
        const gradient = pullFire(reference, attributes, input, output, (saved ?? [])[0], undefined, losses);
        assert.deepEqual(estimate.gradient, gradient?.values);
        ({ state } = estimate);
        assert.equal(state.step, step + 1);
      }
    });

  it('gives the loss of every draw of every row, and what they come to', async () => {
    const logits = [...LOGITS, ...LOGITS.map((logit) => -logit)];
    const seen = new Map<string, number[]>();
    const loss: EstimateOptions['loss'] = (bits, { row, draw, signal }) => {
      assert.equal(signal, undefined);
      seen.set(`${row} ${draw}`, [...bits]);
      const value = 100 * row + tableLoss(bits);
      bits.fill(7); // the loss may keep and change what it gets
      return value;
    };
    const { losses, bits, total, evaluations } = await estimateGradient({ neuron: 'rloo:K=3', logits, rows: 2, loss });
    assert.equal(evaluations, 6);
    assert.equal(seen.size, 6);
    for (let draw = 0; draw < 3; draw++)
      for (let row = 0; row < 2; row++) {
        const own = [...bits.subarray((draw * 2 + row) * 8, (draw * 2 + row + 1) * 8)];
        assert.deepEqual(seen.get(`${row} ${draw}`), own);
        assert.equal(losses[draw * 2 + row], 100 * row + tableLoss(own));
      }
    assertClose(
      total,
      [0, 1].map((row) => (losses[row] + losses[row + 2] + losses[row + 4]) / 3),
      { absolute: 1e-12 },
      'total',
    );
  });

  it('weighs draws as the neuron does', async () => {
    const { states } = statesOf(LOGITS, undefined);
    const expected = states.reduce((sum, { bits, probability }) => sum + probability * tableLoss(bits), 0);
    const { total } = await estimateGradient({ neuron: 'exact', logits: LOGITS, loss: tableLoss });
    assertClose(total, [expected], { absolute: 1e-12 }, 'E[loss]');
  });

  it('the same seed and state give the same bits; another seed or state others; a passed state never changes', async () => {
    const options = { neuron: 'nvil', logits: LOGITS, loss: tableLoss, seed: 9 } as const;
    const first = await estimateGradient(options);
    assert.deepEqual(await estimateGradient(options), first);
    const before = structuredClone(first.state);
    const second = await estimateGradient({ ...options, state: first.state });
    assert.deepEqual(first.state, before);
    assert.deepEqual(await estimateGradient({ ...options, state: structuredClone(before) }), second);
    const bitsOf = async (other: Partial<EstimateOptions>) => (await estimateGradient({ ...options, ...other })).bits;
    const many = { logits: repeated(LOGITS, 8), rows: 8 };
    const same = await bitsOf(many);
    assert.notDeepEqual(await bitsOf({ ...many, seed: 10 }), same);
    assert.notDeepEqual(await bitsOf({ ...many, state: first.state }), same);
    assert.notDeepEqual(second.state.averages, first.state.averages);
  });

  it('takes a definition and a neuron of one’s own', async () => {
    const definition = defineNeuron({
      name: 'plain-score',
      source: 'this test',
      summary: 'h = 1[u < σ(a)]; ĝ = (h − σ(a))·f',
      options: {},
      rule: () => ({
        noise: 1,
        reads: 'loss',
        range: 'unit-interval',
        claims: { unbiased: true },
        fire({ logits, noise, h }) {
          for (let i = 0; i < h.length; i++) h[i] = Number(noise[i] < sigmoid(logits[i]));
        },
        pullback({ units, logits, h, loss, gradient }) {
          for (let i = 0; i < h.length; i++) gradient[i] = (h[i] - sigmoid(logits[i])) * loss[Math.floor(i / units)];
        },
        expect: sigmoid,
        whenOpen: () => 1,
      }),
    });
    const own = { ...definition.rule({}), name: 'plain', source: '', summary: '', options: {} };
    const options = { logits: LOGITS, loss: tableLoss, seed: 3 };
    const expected = await estimateGradient({ neuron: 'stochastic-binary:baseline=none', ...options });
    for (const neuron of [definition, own]) assert.deepEqual(await estimateGradient({ neuron, ...options }), expected);
  });
});

describe('losses that return promises', () => {
  const later = <T>(value: T, turns: number): Promise<T> =>
    turns === 0
      ? Promise.resolve(value)
      : new Promise((resolve) => setImmediate(() => resolve(later(value, turns - 1))));

  it('give the same numbers as synchronous ones, whatever ends first, and no more are under way than asked', async () => {
    const options = { neuron: 'arms', logits: repeated(LOGITS, 3), rows: 3 };
    const expected = await estimateGradient({ ...options, loss: tableLoss });
    for (const concurrency of [1, 5, 100]) {
      let [underWay, most] = [0, 0];
      const loss: EstimateOptions['loss'] = async (bits, { row, draw }) => {
        most = Math.max(most, ++underWay);
        await later(undefined, (7 * row + 5 * draw) % 4);
        underWay--;
        return tableLoss(bits);
      };
      assert.deepEqual(await estimateGradient({ ...options, loss, concurrency }), expected);
      assert.equal(most, Math.min(concurrency, 12));
    }
  });

  it('after a failure no evaluation starts', async () => {
    let calls = 0;
    const loss = async (): Promise<number> => {
      const call = ++calls;
      await later(undefined, call === 2 ? 1 : 3);
      if (call === 2) throw new Error('out of paper');
      return 1;
    };
    const options = { neuron: 'rloo:K=20', logits: LOGITS, loss, concurrency: 3 };
    await assert.rejects(estimateGradient(options), /Evaluation 2 of 20 .* threw Error \("out of paper"\)/);
    await later(undefined, 10);
    assert.equal(calls, 3);
  });
});

describe('a signal', () => {
  const reason = new Error('enough');

  it('that is aborted lets no evaluation start', async () => {
    const loss = () => assert.fail('evaluated');
    const options = { neuron: 'rloo', logits: LOGITS, loss, signal: AbortSignal.abort(reason) };
    await assert.rejects(estimateGradient(options), reason);
  });

  it('ends the wait for a promise that never comes', async () => {
    const controller = new AbortController();
    const loss: EstimateOptions['loss'] = (_bits, { signal }) => {
      assert.equal(signal, controller.signal);
      setImmediate(() => controller.abort(reason));
      return new Promise(() => {});
    };
    await assert.rejects(estimateGradient({ neuron: 'rloo', logits: LOGITS, loss, signal: controller.signal }), reason);
  });

  it('is the reason, where the loss itself gives up on it', async () => {
    const controller = new AbortController();
    const loss = (): number => {
      controller.abort(reason);
      throw new Error('given up');
    };
    await assert.rejects(estimateGradient({ neuron: 'rloo', logits: LOGITS, loss, signal: controller.signal }), reason);
  });

  it('of a timer stops synchronous losses that would go on for days', async () => {
    const rows = 1_000_000;
    const loss = (): number => {
      for (const end = performance.now() + 1; performance.now() < end; );
      return 1;
    };
    const options = { neuron: 'rloo', logits: new Float64Array(rows), rows, loss, signal: AbortSignal.timeout(20) };
    await assert.rejects(estimateGradient(options), { name: 'TimeoutError' });
  });
});

describe('what estimateGradient refuses', () => {
  it('neurons that read ∂loss/∂h, by naming some that do not', async () => {
    const refused = instances.filter(({ neuron }) => neuron.reads !== 'loss');
    assert.ok(refused.length > 40);
    for (const { title, neuron } of refused)
      await assert.rejects(
        estimateGradient({ neuron: title, logits: LOGITS, loss: () => assert.fail('evaluated') }),
        (error: Error) => {
          assert.equal(
            error.message,
            `The neuron "${neuron.name}" reads ∂loss/∂h, which a black box does not give. Expected a neuron that reads only the loss: ${lossReaders().join(', ')}.`,
          );
          return error instanceof RangeError;
        },
      );
    for (const name of lossReaders()) await estimateGradient({ neuron: name, logits: LOGITS, loss: () => 1 });
    assert.deepEqual(lossReaders().sort(), [...new Set(readers.map(({ neuron }) => neuron.name))].sort());
  });

  const cases: [string, Partial<Record<keyof EstimateOptions, unknown>>, RegExp][] = [
    ['an unknown neuron', { neuron: 'rlo' }, /There is no neuron "rlo"\. Did you mean "rloo"\?/],
    ['a logit that is NaN', { logits: [1, 2, Number.NaN, 4], rows: 2 }, /unit 0 in row 1 is NaN\. Expected a finite/],
    ['no logits', { logits: [] }, /0 logits were given for `rows: 1`\. Expected rows × units/],
    ['rows that do not fit', { rows: 3 }, /8 logits were given for `rows: 3`/],
    ['no rows', { rows: 0 }, /`rows` is 0\. Expected a whole number from 1 up/],
    ['no concurrency', { concurrency: 0 }, /`concurrency` is 0\. Expected a whole number from 1 up/],
    ['a seed below 0', { seed: -1 }, /The seed is -1/],
    ['a loss that is no function', { loss: 3 }, /`loss` is number\. Expected a function/],
    [
      'groups that are cut short',
      { neuron: 'categorical-rloo', logits: [1, 2, 3, 4, 5, 6] },
      /A row has 6 units, .* groups of 4\. Expected a multiple of 4, such as 8/,
    ],
    [
      'too many units',
      { neuron: 'exact', logits: new Float64Array(13) },
      /"exact" asks for too many evaluations .* 13 units/,
    ],
    [
      'a state of another neuron',
      { neuron: 'nvil', state: { step: 1, averages: {} } },
      /The state holds nothing, and "nvil" keeps 1 of "mean" and 1 of "variance" and 8 of "weights" for 8 units/,
    ],
    ['a step that is none', { state: { step: 1.5, averages: {} } }, /The step of the state is 1\.5/],
    [
      'a state that is not finite',
      { neuron: 'categorical-reinforce', state: { step: 1, averages: { loss: [Number.NaN] } } },
      /Number 0 of "loss" in the state is NaN/,
    ],
  ];
  for (const [what, other, message] of cases)
    it(what, async () => {
      const options = { neuron: 'rloo', logits: LOGITS, loss: () => assert.fail('evaluated'), ...other };
      await assert.rejects(estimateGradient(options as EstimateOptions), { message });
    });

  it('a state of another number of units', async () => {
    const { state } = await estimateGradient({ neuron: 'nvil', logits: [0, 0], loss: () => 1 });
    await assert.rejects(
      estimateGradient({ neuron: 'nvil', logits: [0], state, loss: () => 1 }),
      /The state holds .* 2 of "weights", and "nvil" keeps .* 1 of "weights" for 1 units/,
    );
  });
});

describe('a loss that gives no finite number', () => {
  const cases: [string, () => unknown, RegExp][] = [
    ['NaN', () => Number.NaN, /the loss gave NaN/],
    ['infinity', () => Number.POSITIVE_INFINITY, /the loss gave Infinity/],
    ['nothing', () => undefined, /the loss gave undefined/],
    ['text', () => '3', /the loss gave the string "3"/],
    ['a big integer', () => 3n, /the loss gave 3/],
    ['an object', () => ({ loss: 3 }), /the loss gave an object \(Object\)/],
    ['a promise of NaN', async () => Number.NaN, /the loss gave NaN/],
    ['a promise of nothing', async () => {}, /the loss gave undefined/],
    [
      'an error',
      () => {
        throw new TypeError('no such item');
      },
      /the loss threw TypeError \("no such item"\)/,
    ],
    ['a rejection', () => Promise.reject(new Error('server gone')), /the loss threw Error \("server gone"\)/],
    [
      'a thrown text',
      () => {
        throw 'wrong';
      },
      /the loss threw the string "wrong"/,
    ],
  ];
  for (const [what, gives, problem] of cases)
    it(`${what}: the evaluation is named, and the state goes on as if nothing had been`, async () => {
      const good = { neuron: 'stochastic-binary', logits: repeated(LOGITS, 3), rows: 3, loss: tableLoss, seed: 2 };
      const { state } = await estimateGradient(good);
      const before = structuredClone(state);
      const expected = await estimateGradient({ ...good, state });
      let calls = 0;
      const loss = ((bits: Float64Array) => (++calls === 2 ? gives() : tableLoss(bits))) as EstimateOptions['loss'];
      await assert.rejects(estimateGradient({ ...good, state, loss }), (error) => {
        assert.ok(error instanceof BlackBoxError);
        const bits = expected.bits.slice(8, 16);
        assert.ok(error.message.startsWith(`Evaluation 2 of 3 in step 2 (row 1, draw 0, bits ${bits.join('')}): `));
        assert.match(error.message, problem);
        assert.match(error.message, /Expected a finite number\.$/);
        const { step, evaluation, row, draw } = error;
        assert.deepEqual([step, evaluation, row, draw, error.bits], [2, 2, 1, 0, bits]);
        return true;
      });
      assert.equal(calls, 2);
      assert.deepEqual(state, before);
      assert.deepEqual(await estimateGradient({ ...good, state }), expected);
    });

  it('what it threw is the cause, and long bits are cut', async () => {
    const thrown = new Error('no');
    const loss = () => {
      throw thrown;
    };
    await assert.rejects(estimateGradient({ neuron: 'rloo', logits: new Float64Array(100), loss }), (error: Error) => {
      assert.equal(error.cause, thrown);
      assert.match(error.message, /bits [01]{64}… \(100\)\)/);
      return true;
    });
  });

  it('losses so large that the gradient is not finite are told of', async () => {
    const loss = () => 1.5e308;
    await assert.rejects(
      estimateGradient({ neuron: 'rloo', logits: LOGITS, loss }),
      /In step 1 "rloo" made a gradient or a state that is not finite of losses up to ±1\.5e\+308/,
    );
  });
});
