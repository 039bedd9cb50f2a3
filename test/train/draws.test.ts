/**
 * Neurons with several draws inside networks: parameter gradients, above and below, against those of the expected loss. That is
 * known exactly, since tiny layers have few states: the neuron `exact` fires them all, and its losses are summed here.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { sum } from '../../src/math/statistics.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { dense } from '../../src/nn/dense.ts';
import { type GatedSpec, gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import type { Pass } from '../../src/nn/pass.ts';
import { noiseKey } from '../../src/random/stream.ts';
import { classification } from '../../src/tasks/classification.ts';
import { drawsOf } from '../../src/tensor/draws.ts';
import { add } from '../../src/tensor/ops/arithmetic.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose } from '../helpers/numbers.ts';

const INPUTS = 2;
const CLASSES = 3;
const EXAMPLES = [
  { x: [0.8, -0.5], label: 2 },
  { x: [-0.3, 1.1], label: 0 },
];

/** Neurons of bits that ask for several evaluations of the loss. */
const severalDraws = Object.keys(zoo)
  .map((name) => resolveNeuron(name))
  .filter((neuron) => !neuron.jointNoise && drawsOf(neuron, 2) > 1);
const unbiased = severalDraws.filter(({ claims, name }) => claims.unbiased && name !== 'exact');

/** So many copies of every example. */
function batchOf(engine: Engine, copies: number) {
  const rows = copies * EXAMPLES.length;
  const of = (row: number) => EXAMPLES[row % EXAMPLES.length];
  const x = engine.tensor(Array.from({ length: rows }, (_, row) => of(row).x).flat(), [rows, INPUTS]);
  const labels = engine.allocate([rows], 'labels');
  engine.backend.heap.memory
    .integers(labels.pointer, rows)
    .set(Array.from({ length: rows }, (_, row) => of(row).label));
  return { x, labels, rows };
}

/** A pass over copies of the examples, the losses weighed. */
function forward(model: Model, copies: number, step: number) {
  const { engine } = model;
  engine.beginStep();
  const batch = batchOf(engine, copies);
  const tape = new Tape(engine);
  tape.watch(model.parameters.map(({ tensor }) => tensor));
  const source = { key: noiseKey(model.seed), step, draw: 0 };
  const pass: Pass = { tape, mode: 'train', source, penalties: [] };
  const { losses, output } = classification.run(model, pass, batch as never);
  return { tape, losses, output, total: tape.weigh(losses), rows: batch.rows };
}

/** The parameters' gradients of the mean over the examples, one after another. */
function gradients(model: Model, copies: number, step: number): Float64Array {
  const { tape, losses, rows } = forward(model, copies, step);
  tape.backward([{ tensor: losses, cotangent: 1 }], losses);
  return Float64Array.from(
    model.parameters.flatMap(({ tensor }) => [...(tape.gradient(tensor)?.values ?? new Float64Array(tensor.size))]),
    (value) => value / rows,
  );
}

type Network = (neuron: Neuron) => LayerSpec[];

const oneLayer: Network = (neuron) => [dense(2, 'tanh'), dense(3, neuron), dense(CLASSES)];
const twoLayers: Network = (neuron) => [dense(2, neuron), dense(2, neuron), dense(CLASSES)];
const gates =
  (options: Partial<GatedSpec> = {}): Network =>
  (neuron) => [
    gated(4, { blocks: 2, neuron, gater: [2], activation: 'tanh', rate: 'none', sparsity: 'none', ...options }),
    dense(CLASSES),
  ];

const modelOf = (engine: Engine, network: Network, neuron: Neuron): Model => {
  const model = createModel(engine, { inputs: INPUTS, layers: network(neuron), seed: 5 });
  // Larger than at the start, so that gradients are.
  for (const { tensor, name } of model.parameters)
    tensor.values.set(Array.from(tensor.values, (_, i) => 1.3 * Math.sin(3 * i + name.length)));
  return model;
};

/** Central differences of a function of the network of exact layers, at every parameter. */
function differences(network: Network, f: (model: Model) => number): Float64Array {
  const model = modelOf(reference, network, resolveNeuron('exact'));
  return Float64Array.from(
    model.parameters.flatMap(({ tensor }) =>
      Array.from({ length: tensor.size }, (_, i) => {
        const before = tensor.values[i];
        const slope = derivative(
          (value) => {
            tensor.values[i] = value;
            return f(model);
          },
          before,
          0.01,
        );
        tensor.values[i] = before;
        return slope;
      }),
    ),
  );
}

const meanLoss = (model: Model): number => {
  const { total, rows } = forward(model, 1, 0);
  return sum(total.values) / rows;
};

/** E[bound] of two independent draws: over all pairs of states. */
const meanBound = (model: Model): number => {
  const { losses, tape, rows } = forward(model, 1, 0);
  const [site] = model.stochasticSites;
  const weights = tape.weightsOf(site.last?.h as never)?.values ?? [];
  const { values } = losses;
  let bound = 0;
  for (let a = 0; a < values.length; a++)
    for (let b = a % rows; b < values.length; b += rows)
      bound -= weights[a] * weights[b] * Math.log((Math.exp(-values[a]) + Math.exp(-values[b])) / 2);
  return bound / rows;
};

const STEPS = 60;
/** With fixed seeds; by chance in a comparison: 2·10⁻⁷ (60 steps have tails wider than a normal's). About 2,000 are made. */
const BEYOND_CHANCE = 6.2;

/** Holds the mean gradient over many steps of many copies against the truth, in standard errors. */
function assertUnbiased(network: Network, neuron: Neuron, truth: Float64Array, copies = 200): void {
  const model = modelOf(builds[0], network, neuron);
  const steps = Array.from({ length: STEPS }, (_, step) => gradients(model, copies, step));
  truth.forEach((expected, i) => {
    const mean = steps.reduce((total, gradient) => total + gradient[i], 0) / STEPS;
    const variance = steps.reduce((total, gradient) => total + (gradient[i] - mean) ** 2, 0) / (STEPS - 1);
    const z = (mean - expected) / (Math.sqrt(variance / STEPS) + 1e-6);
    assert.ok(Math.abs(z) < BEYOND_CHANCE, `parameter ${i}: ${mean}, expected ${expected}, ${z} standard errors`);
  });
}

const networks: Record<string, Network> = {
  'one stochastic layer': oneLayer,
  'two stochastic layers, draws of draws': twoLayers,
  'gates, all blocks': gates({ compute: 'dense' }),
  'gates, open blocks': gates({ compute: 'blocks' }),
};

for (const [n, [title, network]] of Object.entries(networks).entries())
  describe(title, () => {
    const truth = differences(network, meanLoss);

    test('the gradient that exact gives a network is that of its expected loss, at every weight', {
      skip: n % 2 > 0 && slow,
    }, () => {
      const model = modelOf(reference, network, resolveNeuron('exact'));
      assertClose(gradients(model, 1, 0), truth, { absolute: 1e-9 }, 'gradients');
      assert.ok(
        truth.every((slope) => Math.abs(slope) > 1e-6),
        'some weight does nothing: the test shows less than it says',
      );
    });

    for (const [i, neuron] of unbiased.entries())
      test(`${neuron.name} is unbiased for all weights, below and above`, { skip: (i + n) % 6 > 0 && slow }, () => {
        assertUnbiased(network, neuron, truth);
      });
  });

test('the measure of these tests sees a bias: of a straight-through unit, and of a bound taken for the loss', () => {
  const truth = differences(oneLayer, meanLoss);
  for (const biased of ['straight-through', 'vimco', 'spsa:c=2'])
    assert.throws(() => assertUnbiased(oneLayer, resolveNeuron(biased), truth), /standard errors/, biased);
});

test('vimco gives all weights the gradient of its bound, by enumeration of pairs of states', () => {
  for (const network of [oneLayer, gates({ compute: 'dense' }), gates({ compute: 'blocks' })])
    assertUnbiased(network, resolveNeuron('vimco:K=2'), differences(network, meanBound));
});

test('open blocks and all blocks give the same losses and gradients', () => {
  for (const neuron of severalDraws)
    for (const engine of [reference, ...builds]) {
      const [all, open] = (['dense', 'blocks'] as const).map((compute) => {
        const model = modelOf(engine, gates({ compute }), neuron);
        const { losses } = forward(model, 20, 3);
        return [...losses.values, ...gradients(model, 20, 3)];
      });
      assertClose(open, all, { absolute: 2e-6 }, `${neuron.name} on ${engine.name}`);
    }
});

test('what stands under the first stochastic layer is computed once, what stands over it for every draw', () => {
  for (const neuron of severalDraws) {
    const model = modelOf(reference, oneLayer, neuron);
    const { tape, rows, output } = forward(model, 10, 0);
    const draws = drawsOf(neuron, 3);
    assert.equal(output.rows, draws * rows);
    assert.equal(tape.work.executed, rows * (INPUTS * 2 + 2 * 3) + draws * rows * 3 * CLASSES, neuron.name);
    // Gates: the gater and what all experts say once, the layer over them for every draw.
    const gatedModel = modelOf(reference, gates({ compute: 'dense' }), neuron);
    const over = drawsOf(neuron, 2) * rows * 4 * CLASSES;
    assert.equal(forward(gatedModel, 10, 0).tape.work.executed, rows * (INPUTS * 4 + INPUTS * 2 + 2 * 2) + over);
    // Two layers: draws of draws.
    const both = drawsOf(neuron, 2);
    const two = forward(modelOf(reference, twoLayers, neuron), 10, 0).tape.work.executed;
    assert.equal(two, rows * INPUTS * 2 + both * rows * 2 * 2 + both * both * rows * 2 * CLASSES);
  }
});

test('sampled and evaluated, every neuron fires one draw', () => {
  for (const neuron of severalDraws) {
    const model = modelOf(reference, oneLayer, neuron);
    for (const mode of ['sample', 'mean-field', 'threshold'] as const) {
      reference.beginStep();
      const { x, rows } = batchOf(reference, 3);
      const tape = new Tape(reference);
      const source = { key: noiseKey(1), step: 0, draw: 0 };
      const output = model.apply({ tape, mode, source, penalties: [] }, tape.input(x, tape.plates.examples(rows)));
      assert.equal(output.rows, rows);
    }
  }
});

test('two layers of several draws beside each other: the second fires for every draw of the first', () => {
  reference.beginStep();
  const tape = new Tape(reference);
  const logits = tape.input(reference.tensor([0.5, -0.5], [2, 1]), tape.plates.examples(2));
  const source = { key: [1, 2], step: 0, layer: 0, draw: 0 } as const;
  const neuron = resolveNeuron('disarm');
  const first = fireTensor(logits, { neuron, mode: 'train', source });
  const second = fireTensor(logits, { neuron, mode: 'train', source });
  assert.deepEqual([first.rows, second.rows, add(first, second).rows], [4, 8, 8]);
});

test('a layer that is too wide for a neuron is refused when it is built', () => {
  assert.throws(() => createModel(reference, { inputs: 2, layers: [dense(13, 'exact'), dense(2)] }), {
    name: 'RangeError',
    message: /"exact" asks for too many evaluations of the loss in a layer of 13 units\. Expected at most 12 units/,
  });
  assert.ok(createModel(reference, { inputs: 2, layers: [dense(12, 'exact'), dense(2)] }));
});
