import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import { type PenStrings, penStrings } from '../../src/data/pen-strings.ts';
import { joinSequences } from '../../src/data/sequences.ts';
import { sha256 } from '../../src/math/sha256.ts';
import { dense } from '../../src/nn/dense.ts';
import { lstm } from '../../src/nn/lstm.ts';
import { createModel, type Model } from '../../src/nn/model.ts';
import { adaptiveWeightNoise, fixedWeightNoise, type WeightNoiseSpec } from '../../src/nn/weight-noise.ts';
import { adam, sgd } from '../../src/optim/index.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { ctc } from '../../src/tasks/ctc.ts';
import { NonFiniteError } from '../../src/tensor/non-finite-error.ts';
import { evaluate, evaluateTask } from '../../src/train/evaluate.ts';
import { train as trainTask } from '../../src/train/train.ts';
import type { LoopOptions } from '../../src/train/train-options.ts';
import { full, slow } from '../helpers/extent.ts';
import { digits } from './tiny.ts';

const engines: Engine[] = [];
for (const threads of [1, 2, 3]) engines.push(await createEngine({ threads }));
after(() => {
  for (const engine of engines) engine.close();
});

const data: { train: PenStrings; valid: PenStrings; test: PenStrings } = {
  train: penStrings({ seed: 2, count: 24, writers: 3 }),
  valid: penStrings({ seed: 2, first: 1000, count: 10, writers: 3 }),
  test: penStrings({ seed: 2, first: 2000, count: 5, writers: 3 }),
};

const modelOf = (engine: Engine, units = 12, seed = 1): Model =>
  createModel(engine, { inputs: data.train.width, seed, layers: [lstm(units, { bidirectional: true }), dense(11)] });

async function trained(model: Model, options: LoopOptions) {
  const events = [];
  for await (const event of trainTask(model, data, { ...options, task: ctc })) {
    if (event.event === 'epoch') events.push({ ...event, seconds: 0, timed: event.seconds > 0 });
  }
  const weights = model.parameters.flatMap(({ tensor }) => [...tensor.toArray()]);
  return { events, print: sha256(new Uint8Array(Float32Array.from(weights).buffer)) };
}

const NOISES: readonly (WeightNoiseSpec | undefined)[] = [undefined, fixedWeightNoise(0.1), adaptiveWeightNoise(0.1)];

for (const weightNoise of NOISES)
  test(`training with ${weightNoise?.noise ?? 'no'} noise gives the same bits for 1, 2 and 3 threads, and in every run`, {
    skip: weightNoise !== undefined && slow,
  }, async () => {
    const options = { epochs: 2, batch: 5, ...(weightNoise && { weightNoise }) };
    const first = await trained(modelOf(engines[0]), options);
    for (const engine of engines) assert.deepEqual(await trained(modelOf(engine), options), first, `${engine.threads}`);
    assert.notEqual((await trained(modelOf(engines[0]), { ...options, seed: 7 })).print, first.print, 'another order');
    assert.notEqual((await trained(modelOf(engines[0], 12, 2), options)).print, first.print, 'another seed');
  });

test('a network learns to read what it is shown, with and without noise', async () => {
  const train = penStrings({ seed: 2, count: 100, writers: 1 });
  for (const weightNoise of full ? [undefined, fixedWeightNoise(0.03)] : [undefined]) {
    const model = modelOf(engines[0], 24);
    const before = evaluateTask(model, train, ctc);
    const options = { epochs: 60, validateEvery: 60, batch: 2, optimizer: adam({ learningRate: 0.003 }) };
    const all = { ...options, ...(weightNoise && { weightNoise }), task: ctc };
    for await (const event of trainTask(model, { train, valid: train, test: train }, all)) {
      if (event.event !== 'epoch') continue;
      assert.equal(event.epoch, 60);
      assert.equal(before.metrics.sequenceError, 1);
      assert.ok(event.validSequenceError < 0.2, `${event.validSequenceError} of the strings are wrong`);
      assert.ok(event.validLabelError < 0.1 && event.validLoss < 0.7 && before.loss > 5);
    }
  }
});

test('tiny noise is as none', async () => {
  const options = { epochs: 1, batch: 1, optimizer: sgd({ learningRate: 0.01 }) };
  const [none, tiny] = [modelOf(engines[0]), modelOf(engines[0])];
  await trained(none, options);
  await trained(tiny, { ...options, weightNoise: fixedWeightNoise(1e-7) });
  none.parameters.forEach(({ name, tensor }, i) => {
    const other = tiny.parameters[i].tensor.values;
    assert.ok(
      tensor.values.every((w, k) => Math.abs(w - other[k]) < 2e-5),
      name,
    );
  });
});

test('evaluation counts losses, edits and wrong strings, whatever stands beside a string', () => {
  const model = modelOf(engines[0]);
  // No label is ever read: every label is an edit, every string wrong.
  model.setWeights(
    'dense1.bias',
    Float32Array.from({ length: 11 }, (_, k) => (k === 10 ? 50 : 0)),
  );
  const { metrics } = evaluateTask(model, data.valid, ctc);
  assert.deepEqual(metrics, { labelError: 1, sequenceError: 1 });
  const model2 = modelOf(engines[0]);
  const losses = Array.from(
    { length: data.valid.count },
    (_, i) => evaluateTask(model2, only(data.valid, i), ctc).loss,
  );
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  assert.ok(Math.abs(mean - evaluateTask(model2, data.valid, ctc).loss) < 1e-5 * mean);
});

/** One sequence of a data set. */
function only({ name, width, classes, ...set }: PenStrings, i: number) {
  const features = set.features.subarray(set.offsets[i] * width, set.offsets[i + 1] * width);
  const labels = set.labels.subarray(set.labelOffsets[i], set.labelOffsets[i + 1]);
  return joinSequences({ name, width, classes }, [{ features, labels }]);
}

test('what does not fit is refused in a sentence', async () => {
  const model = createModel(engines[0], { inputs: 3, layers: [lstm(4), dense(11)] });
  assert.throws(
    () => evaluateTask(model, data.valid, ctc),
    /have 4 features, the model takes 3. Expected `inputs: 4`\.$/,
  );
  const narrow = createModel(engines[0], { inputs: 4, layers: [lstm(4), dense(10)] });
  assert.throws(
    () => evaluateTask(narrow, data.valid, ctc),
    /last layer has 10 units\. Expected 11: one a class, and the blank\.$/,
  );
  await assert.rejects(
    trained(modelOf(engines[0]), { epochs: 0 }),
    /`epochs` of train is 0\. Expected a whole number from 1 up\./,
  );
  const pictures = createModel(engines[0], { inputs: 784, layers: [lstm(4), dense(10)] });
  assert.throws(
    () => evaluate(pictures, digits.test),
    /lstm in "lstm0" reads sequences, and the rows of \d+ examples were given/,
  );
});

test('a loss that is not finite stops training, and says where', async () => {
  const model = modelOf(engines[0]);
  model.setWeights('lstm0.recurrent', new Float32Array(12 * 48).fill(Number.NaN));
  await assert.rejects(trained(model, { epochs: 1 }), (error: unknown) => {
    assert.ok(error instanceof NonFiniteError);
    assert.match(error.message, /^Training stopped before its first step: "lstm0\.recurrent" starts with NaN/);
    return true;
  });
});

test('a signal stops training', async () => {
  await assert.rejects(trained(modelOf(engines[0]), { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
});
