import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createEngine } from '../../src/backend/engine.ts';
import { BiasBalance } from '../../src/gates/balance.ts';
import { sgd } from '../../src/optim/index.ts';
import { digits, eventsOf, gatedModel } from '../train/tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

test('a bias moves by u toward the target load: up when under it, down when over it, not at it', () => {
  const balance = new BiasBalance(3, 0.25, { step: 0.5 });
  balance.apply(Float64Array.of(0, 0.25, 1));
  assert.deepEqual([...balance.bias], [0.5, 0, -0.5]);
  balance.apply(Float64Array.of(0.1, 0.3, 0.25));
  assert.deepEqual([...balance.bias], [1, -0.5, -0.5]);
  const byMean = new BiasBalance(2, undefined, {});
  byMean.apply(Float64Array.of(0.9, 0.3));
  assert.deepEqual([...byMean.bias], [-0.01, 0.01]);
});

test('collapsed top-k gates spread over the minibatch again, with no penalty and no gradient', async () => {
  const loads = async (balance: boolean): Promise<{ dead: number; rate: number }> => {
    const model = gatedModel(engine, {
      neuron: 'top-k',
      rate: 0.25,
      sparsity: 'none',
      balance: balance && { step: 0.1 },
    });
    // Two gates of eight are far ahead of the others.
    model.parameters.find(({ name }) => name === 'gated0.gater.bias')?.tensor.values.set([9, 9]);
    const before = model.weights('gated0.gater.bias');
    const events = await eventsOf(model, digits, { epochs: 14, batch: 25, optimizer: sgd({ learningRate: 0 }) });
    assert.deepEqual(model.weights('gated0.gater.bias'), before, 'the bias of the gater is left alone');
    const epochs = events.filter((event) => event.event === 'epoch');
    return epochs[13].health[0];
  };
  const [collapsed, balanced] = [await loads(false), await loads(true)];
  assert.deepEqual([collapsed.dead, balanced.dead], [6, 0]);
  assert.deepEqual([collapsed.rate, balanced.rate], [0.25, 0.25]);
});

test('the selection biases are part of a snapshot', () => {
  const model = gatedModel(engine, { neuron: 'top-k', balance: true });
  const bias = model.sites[0].selectionBias;
  bias?.fill(3);
  const before = model.snapshot();
  bias?.fill(-1);
  model.restore(before);
  assert.ok(bias?.every((b) => b === 3) && model.sites[0].selectionBias === bias);
});

test('a neuron that does not select is refused', () => {
  assert.throws(() => gatedModel(engine, { neuron: 'straight-through', balance: true }), {
    name: 'RangeError',
    message: /gated0: `balance` moves biases .* "straight-through" does not select\. Expected `nudge`/,
  });
});
