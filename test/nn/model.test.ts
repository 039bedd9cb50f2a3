import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sigmoid } from '../../src/math/special.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec } from '../../src/nn/model.ts';
import { reference } from '../helpers/engines.ts';

const modelOf = (inputs: number, ...layers: LayerSpec[]) => createModel(reference, { inputs, layers, seed: 3 });

test('what does not fit is refused, with the layer, what was given and what was expected', () => {
  const refusals: [() => unknown, RegExp][] = [
    [() => modelOf(0, dense(2)), /The model: `inputs` is 0. Expected a whole number from 1 up/],
    [() => modelOf(4), /no layers; give at least one/],
    [() => createModel(reference, { inputs: 4 } as never), /The model's layers are undefined\. Expected a list/],
    [() => modelOf(4, null as never), /The model's layers are \[null\]\. Expected a list/],
    [() => modelOf(4, dense(2.5)), /dense0: `units` is 2.5/],
    [() => modelOf(4, dense(2), dense(0, 'tanh', 'top')), /top: `units` is 0/],
    [() => modelOf(4, dense(2, 'tanhh')), /no neuron "tanhh". Did you mean "tanh"/],
    [() => modelOf(4, { layer: 'gate', units: 2 } as never), /no layer "gate". Did you mean "gated"\?/],
    [() => modelOf(4, { layer: 'constructor', units: 2 } as never), /no layer "constructor"/],
    [
      () => modelOf(4, gated(10, { blocks: 3 })),
      /gated0: 10 units cannot be divided into 3 equal blocks\. Expected a multiple of 3, such as 9/,
    ],
    [() => modelOf(4, gated(2, { blocks: 5 })), /Expected a multiple of 5, such as 5/],
    [() => modelOf(4, gated(10, { blocks: 0 })), /gated0: `blocks` is 0/],
    [() => modelOf(4, gated(10, { gater: [8, 0] })), /`gater` is 0/],
    [() => modelOf(4, gated(10, { gater: 64 as never })), /gated0: `gater` is 64\. Expected a list of widths/],
    [() => modelOf(4, gated(10, { gater: null as never })), /gated0: `gater` is null\. Expected a list of widths/],
    [() => modelOf(4, gated(10, { neuron: {} as never })), /A neuron is \{\}\. Expected its name/],
    [() => modelOf(4, gated(10, { neuron: 1 as never })), /A neuron is 1\. Expected its name/],
    [() => modelOf(4, gated(10, { neuron: 'stochastic-binry' })), /Did you mean "stochastic-binary"/],
    [() => modelOf(4, gated(10, { activation: 'rectifer' })), /Did you mean "rectifier"/],
    [() => modelOf(4, gated(10, { sparsity: 'l2' })), /no sparsity penalty "l2"/],
    [
      () => modelOf(4, gated(10, { neuron: 'rectifier', sparsity: 'kl' })),
      /"kl" is on probabilities, and "rectifier" emits non-negative/,
    ],
    [() => modelOf(4, dense(3, 'tanh', 'a'), dense(3, 'tanh', 'a')), /Two layers are called "a"/],
    [() => createModel(reference, { inputs: 4, layers: [dense(2)], seed: -1 }), /The seed is -1/],
    [
      () => modelOf(4, dense(2)).weights('dense0.weight'),
      /no parameter "dense0.weight". Known: dense0.weights, dense0.bias/,
    ],
  ];
  for (const rate of [0, 1, -0.1, 1.5, Number.NaN])
    refusals.push([() => modelOf(4, gated(10, { rate })), /gated0: the rate is .*between 0 and 1/]);
  for (const [act, message] of refusals) assert.throws(act, { name: 'RangeError', message });
});

test('parameters have names, shapes, groups and learning rates of their own', () => {
  const model = modelOf(6, gated(8, { blocks: 4, gater: [5, 3], neuron: 'stochastic-binary' }), dense(2));
  assert.deepEqual(
    model.parameters.map(({ name, tensor, group, kind, learningRateScale }) => [
      name,
      tensor.shape.join('×'),
      group,
      kind,
      learningRateScale,
    ]),
    [
      ['gated0.experts.weights', '4×6×2', 'main', 'weights', 1],
      ['gated0.experts.bias', '8', 'main', 'bias', 1],
      ['gated0.gater0.weights', '6×5', 'gater', 'weights', 0.01],
      ['gated0.gater0.bias', '5', 'gater', 'bias', 0.01],
      ['gated0.gater1.weights', '5×3', 'gater', 'weights', 0.01],
      ['gated0.gater1.bias', '3', 'gater', 'bias', 0.01],
      ['gated0.gater.weights', '3×4', 'gater', 'weights', 0.01],
      ['gated0.gater.bias', '4', 'gater', 'bias', 0.01],
      ['dense1.weights', '8×2', 'main', 'weights', 1],
      ['dense1.bias', '2', 'main', 'bias', 1],
    ],
  );
  assert.deepEqual([model.inputs, model.outputs], [6, 2]);
  assert.deepEqual(model.cost, { dense: 6 * 8 + 8 * 2, gater: 6 * 5 + 5 * 3 + 3 * 4 });
  assert.deepEqual(
    modelOf(6, gated(8)).stochasticSites.map(({ name, units, rate }) => [name, units, rate]),
    [['gated0.gates', 8, 0.1]],
  );
  assert.equal(modelOf(6, dense(3, 'tanh')).stochasticSites.length, 0);
});

test('the same seed gives the same weights, another seed others, and no two matrices are alike', () => {
  const build = (seed: number) =>
    createModel(reference, { inputs: 7, layers: [gated(7, { gater: [7] }), dense(7), dense(7)], seed });
  const weights = (seed: number) => {
    const model = build(seed);
    return model.parameters.filter(({ kind }) => kind === 'weights').map(({ name }) => [...model.weights(name)]);
  };
  assert.deepEqual(weights(1), weights(1));
  const all = [...weights(1), ...weights(2)];
  assert.equal(new Set(all.map((matrix) => matrix[0] / Math.hypot(...matrix))).size, all.length);
});

test('initial weights: Glorot uniform, four times that for gates, 15 normal weights a unit for rectifier gates', () => {
  const limitOf = (values: Float32Array): number => Math.max(...values.map(Math.abs));
  const glorot = (inputs: number, units: number): number => Math.sqrt(6 / (inputs + units));
  const model = modelOf(100, gated(60, { gater: [40] }), dense(10));
  const near = (name: string, limit: number): void => {
    const values = model.weights(name);
    assert.ok(limitOf(values) <= limit && limitOf(values) > 0.95 * limit, `${name}: ${limitOf(values)} and ${limit}`);
    const mean = values.reduce((sum, w) => sum + w, 0) / values.length;
    assert.ok(Math.abs(mean) < (5 * limit) / Math.sqrt(3 * values.length), `${name}: mean ${mean}`);
  };
  near('gated0.experts.weights', glorot(100, 60));
  near('gated0.gater0.weights', glorot(100, 40));
  near('gated0.gater.weights', 4 * glorot(40, 60));
  near('dense1.weights', glorot(60, 10));
  for (const { name, kind } of model.parameters)
    if (kind === 'bias' && name !== 'gated0.gater.bias') assert.equal(limitOf(model.weights(name)), 0, name);
  const sparse = modelOf(100, gated(60, { gater: [40], neuron: 'noisy-rectifier' })).weights('gated0.gater.weights');
  for (let unit = 0; unit < 60; unit++) assert.equal(sparse.filter((w, i) => i % 60 === unit && w !== 0).length, 15);
  const variance = sparse.reduce((sum, w) => sum + w * w, 0) / (15 * 60);
  assert.ok(Math.abs(variance - 1) < 0.25, `variance ${variance}`);
  const few = modelOf(6, gated(5, { gater: [], neuron: 'rectifier' })).weights('gated0.gater.weights');
  assert.ok(
    few.every((w) => w !== 0),
    'with six inputs a unit has six weights',
  );
});

test('a snapshot holds parameters, moving averages and thresholds, and can be put back', () => {
  const model = modelOf(4, gated(6, { neuron: 'stochastic-binary' }), dense(2));
  const before = model.snapshot();
  for (const { tensor } of model.parameters) tensor.values.fill(7);
  const [site] = model.sites;
  site.state?.values.fill(8);
  site.threshold = 9;
  model.restore(before);
  assert.deepEqual(model.snapshot(), before);
  assert.ok(
    site.state && site.threshold === 0 && site.state.values.every((value) => Math.fround(value) === Math.fround(1e-6)),
  );
});

test('gates start near their target rate, or with zero biases as in 2013', () => {
  for (const neuron of ['straight-through', 'noisy-rectifier', 'stochastic-times-smooth', 'sigmoid']) {
    const { claims, range } = resolveNeuron(neuron);
    // Gates whose rate is held start at it. Penalties of others in [0, 1] see σ(a), and of the rest the share of open gates.
    const isSteered = (claims.rate?.(-30) ?? 1) < 0.01;
    const ofPenalty = range === 'unit-interval' ? sigmoid : (claims.rate ?? (() => Number.NaN));
    for (const rate of [0.05, 0.3])
      for (const steer of [true, false]) {
        const share = steer && isSteered ? (claims.rate ?? ofPenalty) : ofPenalty;
        const biases = modelOf(4, gated(6, { neuron, rate, steer })).weights('gated0.gater.bias');
        for (const bias of biases) assert.ok(Math.abs(share(bias) - rate) < 1e-6, `${neuron} ${bias}`);
      }
    for (const options of [{ start: 'zero' }, { rate: 'none' }] as const)
      assert.ok(
        modelOf(4, gated(6, { neuron, ...options }))
          .weights('gated0.gater.bias')
          .every((bias) => bias === 0),
      );
  }
  assert.throws(
    () => modelOf(4, gated(6, { start: 'zer' as 'zero' })),
    /`start` is "zer"\. Expected one of rate, zero; did you mean "zero"\?/,
  );
});
