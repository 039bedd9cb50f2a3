/** Gradients of whole networks against central differences, on the reference engine (Float64). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { makeDataset } from '../../src/data/dataset.ts';
import { penalties } from '../../src/gates/index.ts';
import { sigmoid } from '../../src/math/special.ts';
import { sum } from '../../src/math/statistics.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import type { Pass } from '../../src/nn/pass.ts';
import { sgd } from '../../src/optim/index.ts';
import { noiseKey } from '../../src/random/stream.ts';
import { classification, placeBatch } from '../../src/tasks/classification.ts';
import { gatherBatch } from '../../src/tasks/examples.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { Stepper } from '../../src/train/step.ts';
import { builds, reference } from '../helpers/engines.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

const ROWS = 7;
const INPUTS = 5;
const CLASSES = 3;
const data = makeDataset({
  name: 'random',
  features: Float32Array.from(drawn(normal(1), ROWS * INPUTS, 60)),
  scale: 1,
  labels: Uint8Array.from({ length: ROWS }, (_, i) => i % CLASSES),
  width: INPUTS,
  classes: CLASSES,
});
const everyRow = Int32Array.from({ length: ROWS }, (_, i) => i);

const modelOf = (engine: Engine, layers: LayerSpec[]): Model =>
  createModel(engine, { inputs: INPUTS, layers: [...layers, dense(CLASSES)], seed: 8 });

/** A training pass of the first step. */
function passOf(model: Model): Pass {
  const tape = new Tape(model.engine);
  const source = { key: noiseKey(model.seed), step: 0, draw: 0 };
  return { tape, mode: 'train', source, penalties: [] };
}

/** What training minimises: the mean cross-entropy plus the penalties times their weights. */
function objective(model: Model): number {
  model.engine.beginStep();
  const pass = passOf(model);
  const { losses } = classification.run(model, pass, gatherBatch(model.engine, data, everyRow));
  const penalty = pass.penalties.reduce((total, { tensor, weight }) => total + weight * tensor.values[0], 0);
  return sum(losses.values) / ROWS + penalty;
}

/** The gradient that a training step uses, by parameter: a step of SGD with learning rate 1, taken back. */
function stepGradient(model: Model): Map<string, Float64Array> {
  const before = model.parameters.map(({ tensor }) => Float64Array.from(tensor.values));
  model.engine.beginStep();
  const batch = gatherBatch(model.engine, data, everyRow);
  new Stepper(model, sgd()).run(batch, { optimizer: sgd(), learningRate: 1, gaterLearningRate: 1 });
  return new Map(
    model.parameters.map(({ name, tensor }, p) => {
      const gradient = before[p].map((value, i) => value - tensor.values[i]);
      tensor.values.set(before[p]);
      return [name, gradient];
    }),
  );
}

const NETWORKS: [string, LayerSpec[]][] = [
  ['dense tanh', [dense(6, 'tanh'), dense(4, 'sigmoid')]],
  ['gates of sigmoids with KL', [gated(8, { blocks: 4, gater: [3], neuron: 'sigmoid', sparsity: 'kl=0.7' })]],
  [
    'all penalties on probabilities, deep gater, activation',
    [
      gated(6, {
        blocks: 2,
        gater: [4, 3],
        neuron: 'sigmoid',
        activation: 'tanh',
        rate: 0.3,
        sparsity: 'kl=0.2+batch-rate=0.3+example-rate=2+variance=1.5',
      }),
    ],
  ],
  [
    'rectifier gates with L1 on outputs',
    [gated(6, { gater: [], neuron: 'rectifier', sparsity: 'l1=0.4', steer: false })],
  ],
  [
    'two gated layers, no penalty',
    [gated(6, { neuron: 'sigmoid', rate: 'none' }), gated(4, { neuron: 'tanh', rate: 'none' })],
  ],
  // With its noise held fixed, a noisy rectifier is a rectifier of a shifted logit, and noisy-sigmoid is smooth.
  [
    'hard concrete gates with penalties on P(h ≠ 0)',
    [
      gated(8, {
        blocks: 4,
        gater: [3],
        neuron: 'hard-concrete',
        sparsity: 'expected-l0=0.3+expected-flops=2',
        steer: false,
      }),
    ],
  ],
  // With its noise held fixed, the units that top-k keeps do not change under small moves; the smooth load does.
  [
    'noisy top-k with all balancing penalties',
    [
      gated(10, {
        blocks: 5,
        gater: [3],
        neuron: 'noisy-top-k:k=2,value=sigmoid',
        sparsity: 'importance=0.5+load=0.7+switch=0.3',
      }),
    ],
  ],
  ['top-k softmax', [gated(10, { blocks: 5, gater: [3], neuron: 'top-k', rate: 0.6, sparsity: 'switch=0.5' })]],
  [
    'balance without a target',
    [gated(6, { gater: [3], neuron: 'sigmoid', rate: 'none', sparsity: 'importance=0.5+switch=0.4' })],
  ],
  [
    'pathwise neurons',
    [gated(6, { neuron: 'noisy-rectifier', sparsity: 'l1=0.1', steer: false }), dense(5, 'noisy-sigmoid')],
  ],
];

for (const [i, [name, layers]] of NETWORKS.entries())
  test(`${name}: every parameter’s gradient is the central difference of mean loss + λ·penalty`, {
    skip: i % 3 > 0 && slow,
  }, () => {
    const model = modelOf(reference, layers);
    for (const { name: parameter, tensor } of model.parameters)
      if (parameter.endsWith('bias')) tensor.values.set(drawn(normal(0.3), tensor.size, 61));
    const numeric = model.parameters.map(({ tensor }) =>
      Float64Array.from(tensor.values, (value, i) => {
        const at = (moved: number): number => {
          tensor.values[i] = moved;
          return objective(model);
        };
        const slope = derivative(at, value, 1e-4);
        tensor.values[i] = value;
        return slope;
      }),
    );
    // Only now: a step lets adaptive weights move.
    const gradients = stepGradient(model);
    model.parameters.forEach(({ name: parameter }, p) => {
      const gradient = gradients.get(parameter) as Float64Array;
      assertClose(gradient, numeric[p], { absolute: 1e-8, relative: 1e-7 }, parameter);
      assert.ok(
        gradient.some((g) => Math.abs(g) > 1e-4),
        `${parameter}: nothing comes back`,
      );
    });
  });

test('the penalty does not depend on the batch: weights of λ scale its gradient and nothing else', () => {
  const gradientWith = (weight: number): Float64Array => {
    const model = modelOf(reference, [gated(4, { neuron: 'sigmoid', sparsity: { kl: weight } })]);
    return stepGradient(model).get('gated0.gater.bias') as Float64Array;
  };
  const [none, one, three] = [0, 1, 3].map(gradientWith);
  assertClose(
    three.map((g, i) => g - none[i]),
    one.map((g, i) => 3 * (g - none[i])),
    { absolute: 1e-12 },
    'λ',
  );
});

test('sampled networks have the same gradients on WebAssembly as on the reference engine', () => {
  for (const neuron of ['straight-through', 'as-if-deterministic', 'stochastic-binary', 'stochastic-times-smooth']) {
    const layers = [dense(6, neuron), gated(8, { blocks: 4, gater: [3], neuron, activation: 'tanh', rate: 0.4 })];
    const expected = stepGradient(modelOf(reference, layers));
    for (const engine of builds) {
      const actual = stepGradient(modelOf(engine, layers));
      for (const [name, gradient] of actual)
        assertClose(
          gradient,
          expected.get(name) as Float64Array,
          { absolute: 3e-5, relative: 2e-6 },
          `${neuron} ${name} ${engine.name}`,
        );
    }
  }
});

test('a penalty sees σ(logits), or the outputs, and the layer’s own target rate', () => {
  for (const rate of [0.1, 0.35])
    for (const [neuron, name] of [
      ['straight-through', 'kl'],
      ['noisy-rectifier', 'l1'],
    ] as const) {
      const model = modelOf(reference, [gated(4, { neuron, rate, steer: false })]);
      model.engine.beginStep();
      const pass = passOf(model);
      model.apply(pass, placeBatch(pass, gatherBatch(model.engine, data, everyRow)).x);
      const { logits, h } = model.sites[0].last as NonNullable<Model['sites'][number]['last']>;
      const seen = name === 'kl' ? logits.values.map(sigmoid) : h.values;
      const value = penalties[name].evaluate(seen, ROWS, 4, rate, new Float64Array(seen.length), { outputs: h.values });
      assert.equal(pass.penalties.length, 1);
      assert.ok(Math.abs(pass.penalties[0].tensor.values[0] - value) < 1e-12, `${name} at ${rate}`);
      assert.equal(pass.penalties[0].weight, penalties[name].defaultWeight(4));
    }
});

test('every site, step, draw and example has noise of its own', () => {
  const model = modelOf(reference, [dense(6, 'straight-through'), dense(6, 'straight-through')]);
  for (const { tensor } of model.parameters) tensor.values.fill(0);
  const firedAt = (step: number, draw: number): string[] => {
    model.engine.beginStep();
    const pass = passOf(model);
    const { x } = placeBatch(pass, gatherBatch(model.engine, data, everyRow));
    model.apply({ ...pass, source: { ...pass.source, step, draw } }, x);
    return model.sites.map(({ last }) => Array.from(last?.h.values ?? []).join(''));
  };
  assert.deepEqual(firedAt(0, 0), firedAt(0, 0));
  const all = [firedAt(0, 0), firedAt(1, 0), firedAt(0, 1)].flat();
  assert.equal(new Set(all).size, 6);
  // Seven rows of six coins: no row repeats another in all three patterns.
  assert.ok(new Set(all.flatMap((coins) => coins.match(/.{6}/g) ?? [])).size > 20);
});

test('a neuron that reads the loss wants it for every example', () => {
  const model = modelOf(reference, [dense(4, 'stochastic-binary')]);
  model.engine.beginStep();
  const batch = gatherBatch(model.engine, data, everyRow);
  const pass = passOf(model);
  const { tape } = pass;
  tape.watch(model.parameters.map(({ tensor }) => tensor));
  const { losses } = classification.run(model, pass, batch);
  const backward = () => tape.backward([{ tensor: losses, cotangent: 1 }]);
  assert.throws(
    backward,
    /The neuron "stochastic-binary" in "dense0" reads the loss of every example, and no loss was given/,
  );
});

test('REINFORCE takes the loss of each example, not a sum: a gate’s score is weighed by its own row', () => {
  const model = modelOf(reference, [dense(4, 'stochastic-binary:baseline=none')]);
  model.engine.beginStep();
  const batch = gatherBatch(model.engine, data, everyRow);
  const pass = passOf(model);
  const { tape } = pass;
  const { tensor: bias } = model.parameters.find(({ name }) => name === 'dense0.bias') as Model['parameters'][number];
  tape.watch([bias]);
  const { losses } = classification.run(model, pass, batch);
  tape.backward([{ tensor: losses, cotangent: 1 }], losses);
  const { logits, h } = model.sites[0].last as NonNullable<Model['sites'][number]['last']>;
  const expected = new Float64Array(4);
  for (let i = 0; i < h.size; i++)
    expected[i % 4] += (h.values[i] - 1 / (1 + Math.exp(-logits.values[i]))) * losses.values[Math.floor(i / 4)];
  assertClose(tape.gradient(bias)?.values ?? [], expected, { absolute: 1e-12 }, 'the bias’s gradient');
});

test('a gater that is detached teaches its own weights, and nothing below it', () => {
  for (const detached of [false, true]) {
    const gates = gated(6, { blocks: 3, gater: [3], neuron: 'sigmoid', rate: 'none', detached });
    // The second layer gives its gater open blocks in place of rows.
    const below = gated(6, { blocks: 3, gater: [], neuron: 'rectifier', rate: 'none', compute: 'blocks' });
    for (const layers of [
      [dense(4, 'tanh'), gates],
      [below, gates],
    ]) {
      const model = modelOf(reference, layers);
      // What is behind the gates does not depend on the input: only gaters could teach the layer below.
      const experts = model.parameters
        .filter(({ name }) => name.startsWith('gated') && name.includes('experts'))
        .slice(-2);
      for (const { name, tensor } of experts) tensor.values.fill(name.endsWith('bias') ? 1 : 0);
      const moved = [...stepGradient(model)].flatMap(([name, values]) =>
        values.some((value) => value !== 0) ? [name] : [],
      );
      const [first, second] = model.layers.map(({ name }) => `${name}.`);
      assert.ok(moved.some((name) => name.startsWith(`${second}gater`)));
      assert.equal(
        moved.some((name) => name.startsWith(first)),
        !detached,
      );
    }
  }
});
