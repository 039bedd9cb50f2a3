/** Every gate policy trains a small gated network on digits: the loss falls, and the gates open as often as they should. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createEngine } from '../../src/backend/engine.ts';
import { digitsSplit } from '../../src/data/digits.ts';
import { countNonZero } from '../../src/math/statistics.ts';
import { dense } from '../../src/nn/dense.ts';
import { type GatedSpec, gated } from '../../src/nn/gated.ts';
import { createModel, type Model } from '../../src/nn/model.ts';
import { adam } from '../../src/optim/index.ts';
import { classification } from '../../src/tasks/classification.ts';
import { compile } from '../../src/train/compile.ts';
import { evaluate, forEachBatch } from '../../src/train/evaluate.ts';
import { slow } from '../helpers/extent.ts';
import { digits, eventsOf, gatedModel, resultOf } from '../train/tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const RATE = 0.25;
const data = digitsSplit({ seed: 5, train: 1000, valid: 300, test: 300 });
const modelWith = (options: Omit<GatedSpec, 'layer' | 'units'>): Model => {
  const layer = gated(128, { blocks: 16, gater: [32], activation: 'rectifier', rate: RATE, ...options });
  return createModel(engine, { inputs: 784, layers: [layer, dense(10)], seed: 1 });
};

/** Policy, how far the sampled density may be from the target at the end, and how many gates may be dead. */
const POLICIES: [Omit<GatedSpec, 'layer' | 'units'>, number, number][] = [
  [{ neuron: 'top-k' }, 1e-9, 1],
  [{ neuron: 'top-k:value=sigmoid', sparsity: 'none', balance: true }, 1e-9, 0],
  [{ neuron: 'noisy-top-k' }, 1e-9, 1],
  [{ neuron: 'noisy-top-k', sparsity: 'importance+load' }, 1e-9, 2],
  [{ neuron: 'threshold' }, 0.06, 1],
  [{ neuron: 'threshold', balance: true }, 0.03, 1],
  [{ neuron: 'threshold:value=sigmoid' }, 0.06, 1],
  [{ neuron: 'hard-concrete' }, 0.06, 1],
  [{ neuron: 'hard-concrete', sparsity: 'expected-flops=10' }, 0.03, 5],
  [{ neuron: 'straight-through', sparsity: 'expected-flops=10' }, 0.05, 5],
  // With `kl`, on σ(a), half of these gates would be open: √0.25.
  [{ neuron: 'stochastic-times-smooth', sparsity: 'kl-opening' }, 0.06, 1],
];

describe('training on digits', () => {
  for (const [i, [options, tolerance, dead]] of POLICIES.entries())
    test(`${JSON.stringify(options)}: the loss falls to a quarter, and the density is ${RATE} ± ${tolerance}`, {
      skip: i % 4 > 0 && slow,
    }, async () => {
      const model = modelWith(options);
      const events = await eventsOf(model, data, { epochs: 12, batch: 50, optimizer: adam({ learningRate: 0.003 }) });
      const epochs = events.filter((event) => event.event === 'epoch');
      const [first, last] = [epochs[0], epochs[11]];
      assert.ok(last.trainLoss < first.trainLoss / 4, `${first.trainLoss} → ${last.trainLoss}`);
      const { rate, dead: deadGates } = last.health[0];
      assert.ok(Math.abs(rate - RATE) <= tolerance, `sampled density ${rate}`);
      assert.ok(deadGates <= dead, `${deadGates} dead`);
      const result = events.at(-1);
      assert.ok(result?.event === 'result' && result.testError.threshold < 0.3, JSON.stringify(result));
    });
});

test('top-k: exactly k of K gates are open in every row, in all modes, before and after training', async () => {
  for (const neuron of ['top-k', 'noisy-top-k', 'top-k:value=sigmoid', 'noisy-top-k:k=3']) {
    const model = gatedModel(engine, { neuron, rate: 0.5, balance: true });
    const k = neuron.endsWith('k=3') ? 3 : 4;
    const check = (): void => {
      for (const mode of ['sample', 'mean-field', 'threshold'] as const) {
        forEachBatch(model, digits.test, classification, { mode }, () => {
          const h = model.sites[0].last?.h.values ?? new Float32Array(0);
          for (let from = 0; from < h.length; from += 8)
            assert.equal(countNonZero(h.subarray(from, from + 8)), k, `${neuron} ${mode}`);
        });
        assert.equal(evaluate(model, digits.test, { mode }).density, k / 8);
      }
    };
    check();
    const { density } = await resultOf(model, digits, { epochs: 2, batch: 50 });
    assert.equal(density, k / 8);
    check();
  }
});

test('top-k as units of a hidden layer, and as the experts of a gated one, keeps k of whole rows', async () => {
  const layers = [
    dense(24, 'top-k:k=5'),
    gated(12, { blocks: 4, gater: [], activation: 'top-k:k=2', rate: 0.5 }),
    dense(10),
  ];
  const model = createModel(engine, { inputs: 784, layers, seed: 3 });
  await resultOf(model, digits, { epochs: 1, batch: 50 });
  for (const mode of ['sample', 'mean-field', 'threshold'] as const)
    forEachBatch(model, digits.test, classification, { mode }, () => {
      const [hidden, , experts] = model.sites.map(({ last, units }) => ({ h: last?.h.values ?? [], units }));
      assert.equal(countNonZero(hidden.h), (5 * hidden.h.length) / hidden.units);
      assert.equal(countNonZero(experts.h), (2 * experts.h.length) / experts.units);
    });
});

test('compiled, with blocks that never open removed, a policy decides as before', async () => {
  for (const neuron of ['top-k', 'threshold', 'threshold:value=sigmoid']) {
    const model = gatedModel(engine, { neuron, rate: 0.25, sparsity: 'none', balance: { step: 1e-3 } });
    // Gates 2 and 5 never open.
    const bias = model.parameters.find(({ name }) => name === 'gated0.gater.bias')?.tensor.values;
    for (const dead of [2, 5]) if (bias) bias[dead] = -60;
    model.sites[0].selectionBias?.set([0.4, -0.3, 0, 0.2, 1, 0, -0.5, 0.1]);
    const before = compile(model, { mode: 'threshold' }).evaluate(digits.test);
    const pruned = compile(model, { mode: 'threshold', prune: digits.test });
    assert.equal(pruned.evaluate(digits.test).error, before.error, neuron);
    // Top-k of fewer gates would be another rule: its blocks stay.
    assert.ok(neuron === 'top-k' ? pruned.blocksRemoved === 0 : pruned.blocksRemoved >= 2, `${pruned.blocksRemoved}`);
  }
});

test('penalties that do not fit are refused in a sentence', () => {
  const refusals: [Omit<GatedSpec, 'layer' | 'units'>, RegExp][] = [
    [
      { neuron: 'top-k', sparsity: 'load' },
      /"load" is on P\(h ≠ 0\), of which "top-k" declares no .*Expected "importance"/,
    ],
    [{ neuron: 'sigmoid', sparsity: 'expected-l0' }, /"expected-l0" is on P\(h ≠ 0\)/],
    [{ neuron: 'tanh', sparsity: 'importance' }, /"importance" is on outputs from 0 up, and "tanh" emits real values/],
    [
      { rate: 'none', sparsity: 'kl' },
      /"kl" pulls toward a target rate, and there is none\. Expected a rate, or .*importance/,
    ],
  ];
  for (const [options, message] of refusals)
    assert.throws(() => gatedModel(engine, options), { name: 'RangeError', message });
  assert.doesNotThrow(() => gatedModel(engine, { rate: 'none', sparsity: 'switch', neuron: 'straight-through' }));
});
