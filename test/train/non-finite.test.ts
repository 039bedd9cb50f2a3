import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createEngine } from '../../src/backend/engine.ts';
import type { Split } from '../../src/data/dataset.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { sgd } from '../../src/optim/index.ts';
import { NonFiniteError } from '../../src/tensor/non-finite-error.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { train } from '../../src/train/train.ts';
import type { TrainOptions } from '../../src/train/train-options.ts';
import { corners, cornersSplit } from './tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const modelOf = (...layers: LayerSpec[]): Model => createModel(engine, { inputs: 2, layers: [...layers, dense(3)] });

/** The message that training stops with, and how many steps it got through. */
async function stop(model: Model, data: Split, options: TrainOptions): Promise<{ message: string; steps: number }> {
  let steps = 0;
  try {
    for await (const { event } of train(model, data, options)) if (event === 'batch') steps++;
  } catch (error) {
    assert.ok(error instanceof NonFiniteError, `${error}`);
    return { message: error.message, steps };
  }
  return assert.fail('training went on');
}

test('NaN in the data: the operation, the layer and the step', async () => {
  const data = { ...cornersSplit, train: corners(90, (features) => features.fill(Number.NaN, 100, 102)) };
  const { message, steps } = await stop(modelOf(dense(4, 'tanh', 'first')), data, { batch: 10, epochs: 1 });
  assert.match(
    message,
    new RegExp(`stopped at step ${steps}: the loss is NaN.*"matmul" in layer "first" gave it first`),
  );
  assert.match(message, /data without NaN\./);
});

test('a learning rate of 1e30: the step and what broke', async () => {
  const options = { batch: 10, epochs: 2, optimizer: sgd({ learningRate: 1e30 }) };
  const { message } = await stop(modelOf(dense(4, 'rectifier'), dense(4, 'rectifier')), cornersSplit, options);
  assert.match(
    message,
    /stopped at step [1-9]: the (loss is NaN or infinite; the operation "\w+" in layer "\w+"|update of step \d made "[\w.]+")/,
  );
});

test('NaN weights are named, with the step whose update made them so', async () => {
  const options = { batch: 10, epochs: 2, optimizer: sgd({ learningRate: 1e42 }) };
  const { message } = await stop(modelOf(dense(4, 'tanh')), cornersSplit, options);
  assert.match(message, /stopped at step 1: the update of step 0 made "dense0.weights" NaN or infinite/);
});

test('weights that start broken are no update’s doing', async () => {
  const model = modelOf(dense(4, 'tanh'));
  model.parameters[0].tensor.values.fill(Number.NaN);
  const { message } = await stop(model, cornersSplit, { batch: 10, epochs: 1 });
  assert.match(message, /Training stopped before its first step: "dense0.weights" starts with NaN/);
});

test('the update of an epoch’s last step does not pass unseen', async () => {
  const options = { batch: 90, epochs: 1, optimizer: sgd({ learningRate: 1e42 }) };
  const { steps, message } = await stop(modelOf(dense(4, 'tanh')), cornersSplit, options);
  assert.equal(steps, 1);
  assert.match(message, /stopped at step 1: the update of step 0 made "dense0.weights" NaN or infinite/);
  // Weights that are large but finite: their logits overflow in the evaluation.
  const large = { ...options, optimizer: sgd({ learningRate: 1e30 }) };
  const overflow = await stop(modelOf(dense(4, 'rectifier'), dense(4, 'rectifier')), cornersSplit, large);
  assert.match(overflow.message, /the loss on "corners" is NaN or infinite; the operation "\w+" in layer "dense\d"/);
});

test('no gate hides a NaN logit as closed or open', async () => {
  const data = { ...cornersSplit, train: corners(90, (features) => features.fill(Number.NaN, 100, 102)) };
  // Those that ask for an evaluation of every state stand in no two layers so wide.
  for (const neuron of Object.keys(zoo).filter((name) => resolveNeuron(name).mostUnits === undefined)) {
    // The gates see the NaN; the layer below does not hide it either.
    const layers = [dense(4, neuron), gated(8, { neuron, gater: [3], sparsity: 'none' })];
    const { message } = await stop(modelOf(...layers), data, { batch: 10, epochs: 1 });
    assert.match(message, /"matmul" in layer "dense0"/, neuron);
    const gates = modelOf(gated(8, { neuron, gater: [], sparsity: 'none' }));
    gates.parameters.find(({ name }) => name === 'gated0.gater.bias')?.tensor.values.fill(Number.NaN);
    assert.match(
      (await stop(gates, cornersSplit, { epochs: 1 })).message,
      /"gated0.gater.bias" starts with NaN/,
      neuron,
    );
    for (const mode of ['sample', 'mean-field', 'threshold'] as const)
      assert.throws(() => evaluate(gates, cornersSplit.test, { mode }), NonFiniteError, `${neuron} ${mode}`);
  }
});

test('logits that overflow while all weights are finite do not look like open or closed units', async () => {
  for (const neuron of Object.keys(zoo).filter((name) => resolveNeuron(name).mostUnits === undefined)) {
    const model = modelOf(dense(4, neuron, 'first'));
    // Inputs of 1 and more: sums of such weights are over what Float32 can hold.
    model.setWeights(
      'first.weights',
      new Array(8).fill(0).map((_, i) => (i % 2 ? 3e38 : -3e38)),
    );
    const wide = { ...cornersSplit, train: corners(90, (features) => features.fill(4)) };
    const { message } = await stop(model, wide, { batch: 10, epochs: 1 });
    assert.match(
      message,
      /stopped at step 0: the loss is NaN or infinite; the operation "matmul" in layer "first"/,
      neuron,
    );
    for (const mode of ['sample', 'mean-field', 'threshold'] as const)
      assert.throws(() => evaluate(model, wide.train, { mode }), NonFiniteError, `${neuron} ${mode}`);
  }
});

test('an evaluation of a broken network is an error, not an error rate', () => {
  const model = modelOf(dense(4, 'tanh'));
  model.parameters[0].tensor.values.fill(Number.NaN);
  assert.throws(() => evaluate(model, cornersSplit.test), {
    name: 'NonFiniteError',
    message: /the loss on "corners" is NaN or infinite; the operation "matmul" in layer "dense0" gave it first/,
  });
});
