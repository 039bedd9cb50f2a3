/**
 * Penalties that depend on the output of a neuron that reads the loss: its gradient is that of the loss and the penalty. Of every such neuron and
 * every penalty, what the penalty adds to the gradient is held against enumeration over the neuron's states.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createEngine } from '../../src/backend/engine.ts';
import { makeDataset } from '../../src/data/dataset.ts';
import { type PenaltyName, penalties } from '../../src/gates/index.ts';
import { rowPartsOf, type SparsityPenalty } from '../../src/gates/penalty.ts';
import { sigmoid } from '../../src/math/special.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec } from '../../src/nn/model.ts';
import type { Optimizer } from '../../src/optim/index.ts';
import { randomStream } from '../../src/random/stream.ts';
import { train } from '../../src/train/train.ts';
import { instances } from '../conformance/instances.ts';
import { full } from '../helpers/extent.ts';
import { assertClose, drawn } from '../helpers/numbers.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const ROWS = 2000;
const SEEDS = full ? 24 : 12;
const RATE = 0.4;
const INPUTS = [0.3, -1.1, 0.7];
const UNITS = 2;
const STATES = [0, 1, 2, 3].map((s) => [s & 1, s >> 1]);
const features = Float32Array.from({ length: ROWS * INPUTS.length }, (_, i) => INPUTS[i % INPUTS.length]);
const all = makeDataset({
  name: 'one',
  features,
  labels: new Uint8Array(ROWS).fill(1),
  scale: 1,
  width: 3,
  classes: 3,
});
const few = makeDataset({
  name: 'few',
  features: features.subarray(0, 6),
  labels: new Uint8Array(2).fill(1),
  scale: 1,
  width: 3,
  classes: 3,
});

/** Gradients at a bias of one step on all rows, for several seeds of the draws. */
async function gradientsAt(
  bias: string,
  layers: readonly LayerSpec[],
): Promise<{ all: number[][]; weights: Map<string, Float32Array> }> {
  const gradients: number[][] = [];
  let weights = new Map<string, Float32Array>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const model = createModel(engine, { inputs: INPUTS.length, layers, seed });
    const random = randomStream(8, 0x77);
    for (const { name, tensor } of model.parameters)
      model.setWeights(
        name,
        Float32Array.from(
          { length: tensor.size },
          () => (name.startsWith('above.gater') ? 2.5 : 0.9) * random.normal(),
        ),
      );
    weights = new Map(model.parameters.map(({ name }) => [name, model.weights(name)]));
    const target = model.parameters.find(({ name }) => name === bias)?.tensor;
    const capture: Optimizer = {
      name: 'capture',
      source: 'none',
      learningRate: 1,
      options: {},
      init: () => [],
      update(_engine, parameter, gradient, _slots, { gradientScale }) {
        if (parameter === target) gradients.push(Array.from(gradient.values, (x) => x * gradientScale));
      },
    };
    const parts = { train: all, valid: few, test: few };
    for await (const event of train(model, parts, { epochs: 1, batch: ROWS, optimizer: capture }))
      if (event.event === 'epoch') break;
  }
  return { all: gradients, weights };
}

/** The same of layers without a penalty: once for all penalties. */
const plain = new Map<string, ReturnType<typeof gradientsAt>>();
function plainGradientsAt(bias: string, layers: readonly LayerSpec[]): ReturnType<typeof gradientsAt> {
  const key = JSON.stringify([bias, layers]);
  const found = plain.get(key) ?? gradientsAt(bias, layers);
  plain.set(key, found);
  return found;
}

/** x·W + b of a layer. */
const linear = (weights: Map<string, Float32Array>, layer: string, x: readonly number[]): number[] =>
  Array.from({ length: UNITS }, (_, j) =>
    x.reduce(
      (sum, v, i) => sum + v * (weights.get(`${layer}.weights`)?.[i * UNITS + j] ?? 0),
      weights.get(`${layer}.bias`)?.[j] ?? 0,
    ),
  );

/** The slopes of a penalty on a population of the states at the logits of their bits. */
function slopesAt(
  penalty: SparsityPenalty,
  logits: readonly number[],
  valuesOf: (state: readonly number[]) => number[],
): number[] {
  const N = 2 ** 15;
  const at = (a: readonly number[]): number => {
    const rows = STATES.flatMap((state) => {
      const p = state.reduce((product, bit, i) => product * (bit ? sigmoid(a[i]) : sigmoid(-a[i])), 1);
      return Array.from({ length: Math.round(N * p) }, () => valuesOf(state));
    });
    const values = Float64Array.from(rows.flat());
    return penalty.evaluate(values, rows.length, UNITS, RATE, new Float64Array(values.length), { outputs: values });
  };
  const E = 0.05;
  return logits.map(
    (_, i) =>
      (at(logits.map((a, j) => (i === j ? a + E : a))) - at(logits.map((a, j) => (i === j ? a - E : a)))) / (2 * E),
  );
}

/** What a penalty adds to the gradient, by seeds: its mean, and the standard error. */
function added(withIt: number[][], without: number[][]): { mean: number[]; error: number[] } {
  const differences = withIt.map((g, s) => g.map((x, i) => x - without[s][i]));
  const mean = [0, 1].map((i) => differences.reduce((sum, d) => sum + d[i], 0) / SEEDS);
  const error = mean.map((m, i) =>
    Math.sqrt(differences.reduce((sum, d) => sum + (d[i] - m) ** 2, 0) / (SEEDS * (SEEDS - 1))),
  );
  return { mean, error };
}

function judge(
  neuron: Neuron,
  { mean, error }: { mean: number[]; error: number[] },
  truth: readonly number[],
  λ: number,
): void {
  const said = `${mean.map((x) => x.toFixed(4))} ± ${error.map((x) => x.toFixed(4))}, truth ${truth.map((x) => (λ * x).toFixed(4))}`;
  mean.forEach((m, i) => {
    assert.ok(Math.abs(m - λ * truth[i]) < 4.5 * error[i] + 0.03 * λ * Math.abs(truth[i]) + 1e-3, said);
  });
  // Left out, it would be seen; of one draw alone the noise is larger.
  const power = neuron.draws === undefined ? 2 : 4.5;
  assert.ok(
    truth.some((t, i) => λ * Math.abs(t) > power * error[i] + 0.001),
    `no power: ${said}`,
  );
}

const readers = instances.filter(
  ({ neuron }) => (neuron.reads === 'loss' || neuron.reads === 'both') && !neuron.group && neuron.claims.unbiased,
);
/** λ of every penalty; `switch` is the same for gates that all let something through. */
const ABOVE = { kl: 3, 'batch-rate': 3, variance: 5, importance: 20, l1: 1, 'example-rate': 2 } satisfies Partial<
  Record<PenaltyName, number>
>;
/** Of gates that declare P(h ≠ 0): it is σ(a) of these. */
const ABOVE_OPENING = {
  'kl-opening': 3,
  'expected-l0': 1,
  'expected-flops': 3,
  load: 20,
} satisfies Partial<Record<PenaltyName, number>>;
const OWN = { l1: 1, importance: 1 } satisfies Partial<Record<PenaltyName, number>>;
/** Those that a neuron is asked about: all, or one. */
function chosen(weights: Readonly<Record<string, number>>, n: number): [string, number][] {
  const all = Object.entries(weights);
  return full ? all : [all[n % all.length]];
}

describe('a penalty on gates above a neuron that reads the loss is in the loss that it reads', () => {
  const layers = (neuron: string, sparsity: object | 'none', gates = 'sigmoid') => [
    dense(UNITS, neuron, 'below'),
    gated(UNITS, {
      blocks: UNITS,
      neuron: gates,
      gater: [],
      rate: RATE,
      sparsity: sparsity as 'none',
      start: 'zero',
      compute: 'dense',
      steer: false,
      name: 'above',
    }),
    dense(3),
  ];
  readers.forEach(({ title, neuron }, n) => {
    if (!full && n % 4 !== 1) return;
    const asked = [
      ...chosen(ABOVE, n).map((one) => ['sigmoid', ...one] as const),
      ...chosen(ABOVE_OPENING, n).map((one) => ['straight-through', ...one] as const),
    ];
    for (const [gates, name, λ] of asked)
      test(`${title}, ${name}`, async () => {
        const without = await plainGradientsAt('below.bias', layers(title, 'none', gates));
        const { weights, all: withIt } = await gradientsAt('below.bias', layers(title, { [name]: λ }, gates));
        const penalty: SparsityPenalty = penalties[name as PenaltyName];
        const valuesOf = (state: readonly number[]) => {
          const logits = linear(weights, 'above.gater', state);
          return penalty.on === 'logits' ? logits : logits.map(sigmoid);
        };
        judge(neuron, added(withIt, without.all), slopesAt(penalty, linear(weights, 'below', INPUTS), valuesOf), λ);
      });
  });
});

describe('a penalty on the outputs of gates that read the loss is in the loss that they read', () => {
  const layers = (neuron: string, sparsity: object | 'none') => [
    gated(UNITS, {
      blocks: UNITS,
      neuron,
      gater: [],
      rate: RATE,
      sparsity: sparsity as 'none',
      start: 'zero',
      compute: 'dense',
      steer: false,
      name: 'gates',
    }),
    dense(3),
  ];
  readers.forEach(({ title, neuron }, n) => {
    if (!full && n % 4 !== 1) return;
    for (const [name, λ] of chosen(OWN, n))
      test(`${title}, ${name}`, async () => {
        const without = await plainGradientsAt('gates.gater.bias', layers(title, 'none'));
        const { weights, all: withIt } = await gradientsAt('gates.gater.bias', layers(title, { [name]: λ }));
        const penalty: SparsityPenalty = penalties[name as PenaltyName];
        judge(
          neuron,
          added(withIt, without.all),
          slopesAt(penalty, linear(weights, 'gates.gater', INPUTS), (state) => [...state]),
          λ,
        );
      });
  });
});

test('the parts of the rows have the slopes of the penalty, times the rows', () => {
  for (const penalty of Object.values<SparsityPenalty>(penalties)) {
    const [rows, units] = [5, 3];
    const values = drawn((random) => 0.05 + 0.9 * random.uniform(), rows * units, 7);
    const gradient = new Float64Array(values.length);
    const seen = { outputs: values };
    penalty.evaluate(values, rows, units, 0.3, gradient, seen);
    const parts = (moved: Float64Array, at: number) => {
      // The other rows hold the means: of many copies of the rows, one moves.
      const copies = 400;
      const many = Float64Array.from({ length: copies * values.length }, (_, i) => values[i % values.length]);
      many.set(moved.subarray(units * at, units * (at + 1)), units * at);
      const slopes = new Float64Array(many.length);
      penalty.evaluate(many, copies * rows, units, 0.3, slopes, { outputs: many });
      return rowPartsOf(penalty, [many, slopes], [copies * rows, units], 0.3, { outputs: many })[at];
    };
    const E = 1e-3;
    const slopes = values.map((_, i) => {
      const at = Math.floor(i / units);
      return (parts(values.with(i, values[i] + E), at) - parts(values.with(i, values[i] - E), at)) / (2 * E);
    });
    assertClose(
      slopes,
      gradient.map((g) => rows * g),
      { absolute: 0.02, relative: 0.02 },
      penalty.name,
    );
  }
});

test('draws that come to a bound are refused below a penalty, at the gates and under them', async () => {
  const gates = (neuron: string, sparsity: object | 'none') =>
    gated(UNITS, { blocks: UNITS, neuron, rate: RATE, sparsity: sparsity as 'none', steer: false, name: 'gates' });
  for (const layers of [
    [dense(UNITS, 'vimco'), gates('sigmoid', { kl: 1 }), dense(3)],
    [gates('vimco', { l1: 1 }), dense(3)],
  ])
    await assert.rejects(gradientsAt('gates.gater.bias', layers), {
      name: 'RangeError',
      message: /^gates\.gates: the penalty "(kl|l1)" depends on draws whose losses come to a bound, no mean/,
    });
  assert.equal((await gradientsAt('gates.gater.bias', [gates('vimco', 'none'), dense(3)])).all.length, SEEDS);
});

test('a neuron without such penalties reads the losses as they are', async () => {
  const layers = (sparsity: object | 'none') => [
    gated(UNITS, {
      blocks: UNITS,
      neuron: 'disarm',
      gater: [],
      rate: RATE,
      sparsity: sparsity as 'none',
      start: 'zero',
      steer: false,
      name: 'gates',
    }),
    dense(3),
  ];
  // On its own logits: what it reads does not change.
  const [a, b] = [
    await gradientsAt('gates.experts.bias', layers('none')),
    await gradientsAt('gates.experts.bias', layers({ kl: 1 })),
  ];
  assert.deepEqual(a.all, b.all);
  assert.ok(resolveNeuron('disarm').reads === 'loss');
});
