import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createEngine, type Engine } from '../../src/backend/engine.ts';
import { type Dataset, slice } from '../../src/data/dataset.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model, type Snapshot } from '../../src/nn/model.ts';
import { residual } from '../../src/nn/residual.ts';
import { sgd } from '../../src/optim/index.ts';
import { classification, placeBatch } from '../../src/tasks/classification.ts';
import { epochOrder, gatherBatch } from '../../src/tasks/examples.ts';
import { multiply } from '../../src/tensor/ops/arithmetic.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import type { EpochEvent } from '../../src/train/events.ts';
import { Stepper } from '../../src/train/step.ts';
import { train } from '../../src/train/train.ts';
import type { TrainOptions } from '../../src/train/train-options.ts';
import { slow } from '../helpers/extent.ts';
import { corners, cornersSplit, digits, eventsOf, gatedModel, resultOf } from './tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const small = (seed = 1, ...layers: LayerSpec[]): Model =>
  createModel(engine, { inputs: 2, layers: [...(layers.length ? layers : [dense(8, 'tanh')]), dense(3)], seed });

test('a small network learns, and says so in events that fit together', async () => {
  const events = await eventsOf(small(), cornersSplit, { epochs: 20, batch: 40, optimizer: sgd({ momentum: 0.9 }) });
  const count = (kind: string): number => events.filter(({ event }) => event === kind).length;
  assert.deepEqual([count('batch'), count('epoch'), count('result')], [20 * 3, 20, 1]);
  const result = events.at(-1);
  assert.ok(result?.event === 'result' && result.testError.meanField === 0 && result.validError === 0);
  assert.deepEqual([result.epochs, result.seed, result.threads, result.engine], [20, 1, 1, engine.name]);
  assert.equal(result.dataChecksum, cornersSplit.train.checksum);
  assert.deepEqual([result.density, result.flops.dense, result.flops.gater], [1, 2 * 8 + 8 * 3, 0]);
  assert.equal(result.flops.executed, result.flops.dense);
  const epochs = events.filter((event) => event.event === 'epoch');
  assert.ok(epochs[19].trainLoss < epochs[0].trainLoss / 4);
  const best = epochs.findIndex(({ validError }) => validError === Math.min(...epochs.map((e) => e.validError)));
  assert.equal(result.bestEpoch, best + 1, 'the first of the best epochs');
  for (const event of events)
    if (event.event === 'batch') {
      assert.ok(event.examplesPerSecond > 0 && event.secondsLeft >= 0 && event.batches === 3 && event.epochs === 20);
      if (event.batch === 3) assert.equal(event.loss, epochs[event.epoch - 1].trainLoss);
    }
});

test('a sampled network learns with every family of neuron', async () => {
  for (const neuron of ['straight-through', 'stochastic-binary', 'stochastic-times-smooth', 'noisy-rectifier']) {
    const model = small(2, gated(24, { blocks: 12, gater: [8], neuron, rate: 0.4 }));
    const { testError } = await resultOf(model, cornersSplit, {
      epochs: 40,
      batch: 15,
      optimizer: sgd({ momentum: 0.5 }),
    });
    assert.ok(testError.threshold < 0.2, `${neuron}: ${JSON.stringify(testError)}`);
  }
});

test('the last minibatch may be smaller, and every example is seen once an epoch', async () => {
  const batches = (await eventsOf(small(), cornersSplit, { epochs: 1, batch: 37 })).filter(
    ({ event }) => event === 'batch',
  );
  assert.equal(batches.length, 3);
  // With learning rate 0 the running mean of the losses does not depend on the cut.
  const frozen = { epochs: 1, optimizer: sgd({ learningRate: 0 }) };
  const lossOf = async (batch: number): Promise<number> => {
    const epochs = (await eventsOf(small(), cornersSplit, { ...frozen, batch })).filter((e) => e.event === 'epoch');
    return epochs[0].trainLoss;
  };
  assert.ok(Math.abs((await lossOf(37)) - (await lossOf(90))) < 1e-6);
});

test('patience counts what validation told, whatever epochs are validated', async () => {
  const frozen = { optimizer: sgd({ learningRate: 0 }) };
  const epochsOf = async (options: TrainOptions) =>
    (await eventsOf(small(), cornersSplit, { ...frozen, ...options })).flatMap((event) =>
      event.event === 'epoch' ? [event.epoch] : [],
    );
  // Nothing gets better after the first validation.
  assert.deepEqual(await epochsOf({ epochs: 20, patience: 3, validateEvery: 5 }), [5, 10]);
  assert.deepEqual(await epochsOf({ epochs: 20, patience: 1, validateEvery: 2 }), [2, 4]);
  assert.deepEqual(await epochsOf({ epochs: 3, patience: 1, validateEvery: 5 }), [3]);
});

test('an epoch of a part of the data goes on where the last one ended, and every pass has another order', async () => {
  const seen: number[] = [];
  const task = {
    ...classification,
    gather(engine: Engine, data: Dataset, indices: ArrayLike<number>) {
      if (data === cornersSplit.train) seen.push(...Array.from(indices));
      return classification.gather(engine, data, indices);
    },
  };
  const { count } = cornersSplit.train;
  const own = Math.floor(count / 3);
  await eventsOf(small(), cornersSplit, { epochs: 7, batch: 7, examplesPerEpoch: own, task });
  const passes = [0, 1, 2].map((pass) => seen.slice(3 * own * pass, 3 * own * (pass + 1)));
  assert.deepEqual(
    passes.map((indices) => new Set(indices).size),
    [3 * own, 3 * own, own],
  );
  assert.notDeepEqual(passes[0], passes[1]);
  assert.deepEqual([...passes[0]], [...epochOrder(count, 1, 1)].slice(0, 3 * own));
  await assert.rejects(eventsOf(small(), cornersSplit, { examplesPerEpoch: 0 }), /`examplesPerEpoch` of train is 0/);
});

test('gaters, scaled neurons and decay have the learning rates that they should', async () => {
  /** Change of a parameter in one step over its gradient: the rate that was used. */
  const ratesOf = (model: Model, settings: { gaterLearningRate?: number }): Map<string, Float32Array> => {
    const before = model.parameters.map(({ name }) => model.weights(name));
    engine.beginStep();
    const batch = gatherBatch(engine, cornersSplit.train, [0, 1, 2, 3, 4, 5]);
    new Stepper(model, sgd()).run(batch, { optimizer: sgd(), learningRate: 0.5, ...settings });
    return new Map(model.parameters.map(({ name }, p) => [name, model.weights(name).map((w, i) => w - before[p][i])]));
  };
  const gatedNet = (neuron: string): Model =>
    small(4, gated(6, { neuron, gater: [4], sparsity: 'kl=5', steer: false }));
  const [scaled, twice, halved] = [{}, { gaterLearningRate: 0.01 }, { gaterLearningRate: 0.005 }].map((settings) =>
    ratesOf(gatedNet('stochastic-binary'), settings),
  );
  for (const [name, change] of scaled) {
    const factor = name.includes('gater') ? 2 : 1;
    const largest = Math.max(...change.map(Math.abs));
    assert.ok(largest > 1e-6, name);
    // 0.5 × the scale 0.01 of this neuron is 0.005; the main weights do not follow the gater's rate.
    change.forEach((step, i) => {
      assert.ok(Math.abs(step - (halved.get(name)?.[i] ?? 0)) <= 1e-3 * largest, `${name} at the default rate`);
      assert.ok(Math.abs(factor * step - (twice.get(name)?.[i] ?? 0)) <= 4e-3 * largest, `${name} at twice the rate`);
    });
  }
  const plain = ratesOf(gatedNet('straight-through'), {}).get('gated0.gater.bias') as Float32Array;
  const slow = ratesOf(gatedNet('straight-through'), { gaterLearningRate: 0.005 }).get('gated0.gater.bias');
  plain.forEach((step, i) => {
    assert.ok(Math.abs(step / 100 - (slow?.[i] ?? 0)) < 1e-5);
  });
  const events = await eventsOf(small(), cornersSplit, {
    epochs: 3,
    decay: 0.5,
    optimizer: sgd({ learningRate: 0.2 }),
  });
  assert.deepEqual(
    events.flatMap((e) => (e.event === 'epoch' ? [e.learningRate] : [])),
    [0.2, 0.1, 0.05],
  );
});

test('max-norm holds after training, for weights and not for biases', async () => {
  const model = small(1, dense(8, 'rectifier'));
  model.parameters.find(({ name }) => name === 'dense0.bias')?.tensor.values.fill(2);
  await resultOf(model, cornersSplit, { epochs: 3, maxNorm: 0.25, optimizer: sgd({ learningRate: 1 }) });
  const weights = model.weights('dense1.weights');
  const norms = [0, 1, 2].map((c) => Math.hypot(...weights.filter((_, i) => i % 3 === c)));
  assert.ok(norms.every((norm) => norm <= 0.25 + 1e-6) && norms.some((norm) => norm > 0.2499));
  assert.ok(Math.hypot(...model.weights('dense0.bias')) > 1);
});

test('max-norm of a layer goes before that of training, for layers inside too', async () => {
  const layers = [residual(dense(2, 'tanh')), { ...dense(8, 'rectifier'), maxNorm: 0.5 }];
  const free = createModel(engine, { inputs: 2, seed: 1, layers: [...layers, { ...dense(3), maxNorm: 'none' }] });
  await resultOf(free, cornersSplit, { epochs: 3, maxNorm: 0.25, optimizer: sgd({ learningRate: 1 }) });
  const largest = (name: string, units: number) =>
    Math.max(
      ...Array.from({ length: units }, (_, c) => Math.hypot(...free.weights(name).filter((_, i) => i % units === c))),
    );
  assert.ok(Math.abs(largest('residual0.dense0.weights', 2) - 0.25) < 1e-4);
  assert.ok(Math.abs(largest('dense1.weights', 8) - 0.5) < 1e-4);
  assert.ok(largest('dense2.weights', 3) > 0.6);
  const inside = createModel(engine, {
    inputs: 2,
    layers: [{ ...residual(dense(2)), maxNorm: 1.5 }, gated(8, { maxNorm: 2 })],
  });
  assert.deepEqual(
    inside.parameters.map(({ maxNorm }) => maxNorm),
    inside.parameters.map(({ kind, name }) => (kind === 'bias' ? undefined : name.startsWith('residual') ? 1.5 : 2)),
  );
  assert.throws(
    () => createModel(engine, { inputs: 2, layers: [{ ...dense(3, 'linear', 'out'), maxNorm: 0 }] }),
    /The layer "out": maxNorm is 0\. Expected a number over 0, or 'none'\./,
  );
});

test('an AbortSignal stops training with its reason, and the model stays usable', async () => {
  const controller = new AbortController();
  const reason = new Error('the user went home');
  const model = small();
  let seen = 0;
  const run = async (): Promise<void> => {
    for await (const event of train(model, cornersSplit, { epochs: 50, signal: controller.signal }))
      if (++seen === 5 && event) controller.abort(reason);
  };
  await assert.rejects(run, (error) => error === reason);
  assert.ok(seen <= 6, `${seen} events`);
  assert.ok((await resultOf(model, cornersSplit, { epochs: 1 })).epochs === 1);
  const before = model.snapshot();
  await assert.rejects(eventsOf(model, cornersSplit, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.deepEqual(model.snapshot(), before, 'aborted beforehand: nothing moved');
});

test('leaving the loop stops training', async () => {
  const model = small();
  for await (const event of train(model, cornersSplit, { epochs: 1000 })) if (event.event === 'epoch') break;
  assert.ok(model.parameters.every(({ name }) => model.weights(name).every(Number.isFinite)));
});

test('patience stops after so many epochs without a better validation error', async () => {
  const frozen = { epochs: 30, optimizer: sgd({ learningRate: 0 }) };
  for (const patience of [1, 4]) {
    const result = await resultOf(small(), cornersSplit, { ...frozen, patience });
    assert.deepEqual([result.epochs, result.bestEpoch], [1 + patience, 1]);
  }
  assert.equal((await resultOf(small(), cornersSplit, frozen)).epochs, 30);
});

test('the weights, thresholds and averages of the best epoch stand in the model at the end', async () => {
  const model = gatedModel(engine, { neuron: 'stochastic-binary' });
  let best: Snapshot | undefined;
  let result: { bestEpoch: number; epochs: number; validError: number } | undefined;
  const validErrors: number[] = [];
  // The rate grows 30-fold an epoch: the last epochs are worse than one before.
  const options: TrainOptions = { epochs: 4, batch: 50, decay: 30, maxNorm: 3, optimizer: sgd({ learningRate: 0.05 }) };
  for await (const event of train(model, digits, options)) {
    if (event.event === 'epoch') {
      validErrors.push(event.validError);
      if (event.best) best = model.snapshot();
      else assert.notDeepEqual(model.snapshot(), best);
    }
    if (event.event === 'result') result = event;
  }
  assert.ok(result && result.bestEpoch < result.epochs, 'the last epoch was the best: the test shows nothing');
  assert.equal(result.validError, Math.min(...validErrors));
  assert.equal(validErrors[result.bestEpoch - 1], result.validError);
  assert.deepEqual(model.snapshot(), best);
  const { density } = evaluate(model, digits.valid, { mode: 'threshold' });
  assert.ok(Math.abs(density - 0.3) <= 1 / (100 * 8) + 1e-12, `thresholds were not calibrated: ${density}`);
});

test('health counts how every stochastic site fired in the epoch', async () => {
  const model = createModel(engine, {
    inputs: 2,
    layers: [
      dense(10, 'straight-through'),
      gated(6, { neuron: 'straight-through', activation: 'noisy-sigmoid', rate: 0.2 }),
      dense(3),
    ],
  });
  for (const name of ['dense0.weights', 'gated1.gater.weights', 'gated1.gater0.weights'])
    model.parameters.find((p) => p.name === name)?.tensor.values.fill(0);
  const bias = model.parameters.find(({ name }) => name === 'dense0.bias')?.tensor.values as Float32Array;
  bias.set([-40, -40, 40, 0, 0, 0, 0, 0, 0, 0]);
  const healths: EpochEvent['health'][] = [];
  for await (const event of train(model, cornersSplit, { epochs: 2, batch: 30, optimizer: sgd({ learningRate: 0 }) })) {
    if (event.event !== 'epoch') continue;
    healths.push(event.health);
    bias.fill(-40);
  }
  assert.deepEqual([healths[1][0].rate, healths[1][0].dead], [0, 10], 'the second epoch counts anew');
  const [hidden, gates, experts] = healths[0];
  assert.deepEqual([hidden.site, hidden.units, hidden.dead, hidden.alwaysOn], ['dense0', 10, 2, 1]);
  assert.ok(Math.abs(hidden.rate - 0.45) < 0.1, `rate ${hidden.rate}`);
  assert.deepEqual([gates.site, gates.units, gates.dead, gates.alwaysOn], ['gated1.gates', 6, 0, 0]);
  assert.ok(Math.abs(gates.rate - 0.2) < 0.08, `rate ${gates.rate}`);
  assert.deepEqual([experts.site, experts.rate, experts.dead, experts.alwaysOn], ['gated1.experts', 1, 0, 6]);
});

test('nudged gates come back to life', async () => {
  const dead = (nudge: boolean): Model => {
    const model = small(
      5,
      gated(6, { neuron: 'noisy-rectifier', gater: [], nudge: nudge && { step: 0.5 }, sparsity: 'none', steer: false }),
    );
    model.parameters.find(({ name }) => name === 'gated0.gater.bias')?.tensor.values.fill(-30);
    return model;
  };
  const options = { epochs: 60, batch: 10, optimizer: sgd({ learningRate: 0 }) };
  const rateOf = async (model: Model): Promise<number> => {
    const epochs = (await eventsOf(model, cornersSplit, options)).filter((event) => event.event === 'epoch');
    return epochs[59].health[0].rate;
  };
  assert.equal(await rateOf(dead(false)), 0);
  assert.ok((await rateOf(dead(true))) > 0.01);
});

test('options and data that do not fit are refused before the first step', async () => {
  const refusals: [TrainOptions, RegExp][] = [
    [{ epochs: 0 }, /`epochs` of train is 0\. Expected a whole number from 1 up/],
    [{ epochs: 1.5 }, /`epochs` of train is 1.5/],
    [{ batch: 0 }, /`batch` of train is 0/],
    [{ patience: 0 }, /`patience` of train is 0/],
    [{ patience: Number.NaN }, /`patience` of train is NaN/],
    [{ maxNorm: 0 }, /`maxNorm` of train is 0\. Expected a number over 0/],
    [{ decay: -1 }, /`decay` of train is -1/],
    [{ gaterLearningRate: Number.NaN }, /`gaterLearningRate` of train is NaN/],
    [{ seed: -3 }, /The seed is -3/],
    [{ optimizer: 'sdg' as never }, /no optimizer "sdg". Did you mean "sgd"/],
  ];
  for (const [options, message] of refusals)
    await assert.rejects(eventsOf(small(), cornersSplit, options), { name: 'RangeError', message });
  const model = small();
  await assert.rejects(eventsOf(model, digits, {}), {
    name: 'RangeError',
    message: /"digits" has 784 features, the model takes 2. Expected `inputs: 784`/,
  });
  const twoClasses = createModel(engine, { inputs: 2, layers: [dense(2)] });
  await assert.rejects(eventsOf(twoClasses, cornersSplit, {}), {
    name: 'RangeError',
    message: /"corners" has 3 classes, the model tells 2 apart\. Expected a last layer of 3 units/,
  });
  const wrongTest = { ...cornersSplit, test: digits.test };
  await assert.rejects(eventsOf(model, wrongTest, {}), { name: 'RangeError', message: /"digits" has 784 features/ });
  const empty = { ...corners(3), count: 0 };
  await assert.rejects(eventsOf(model, { ...cornersSplit, valid: empty }, {}), { message: /"corners" is empty/ });
});

for (const [name, layers] of [
  ['all blocks', [gated(12, { blocks: 4, gater: [4], neuron: 'straight-through', compute: 'dense' })]],
  [
    'open blocks, in two layers',
    [
      gated(12, { blocks: 4, gater: [4], neuron: 'stochastic-binary', activation: 'rectifier', compute: 'blocks' }),
      gated(8, { gater: [4], compute: 'blocks', probe: 0.2 }),
    ],
  ],
] as [string, LayerSpec[]][])
  for (const [optimizer, epochs] of [
    ['sgd', 500],
    ['adam', 50],
  ] as const)
    test(`the heap does not grow over ${20 * epochs} steps of ${optimizer}: ${name}`, {
      skip: optimizer === 'sgd' && slow,
    }, async () => {
      const own = await createEngine({ threads: 1 });
      const { heap } = own.backend;
      const model = createModel(own, { inputs: 2, layers: [...layers, dense(3)] });
      const data = { ...cornersSplit, train: slice(cornersSplit.train, 0, 80) };
      /** How far the persistent region has come: it shows a leak of a single line. */
      const mark = (): number => own.parameter([1], 'a mark').pointer;
      let steps = 0;
      let early = { claimed: 0, mark: 0, stepPeak: 0 };
      for await (const { event } of train(model, data, { epochs, batch: 4, optimizer })) {
        if (event !== 'batch') continue;
        // The first epoch has validated by then, so every kind of step has been.
        if (++steps === 50) early = { ...heap.usage, mark: mark() };
        if (steps > 50) assert.equal(heap.usage.claimed, early.claimed, `step ${steps}`);
      }
      assert.equal(steps, 20 * epochs);
      assert.ok(early.claimed > 0 && early.claimed < 64e6, `${early.claimed} bytes`);
      assert.equal(mark() - early.mark, 64, 'persistent memory was allocated while training');
      // More blocks may be open than in the first steps, so a step may need more; never more than all blocks do.
      assert.ok(heap.usage.stepPeak < 2 * early.stepPeak, `${early.stepPeak} and ${heap.usage.stepPeak} bytes a step`);
      own.close();
    });

test('the epoch is chosen by the form of the network that `validation` names', async () => {
  for (const validation of ['threshold', 'mean-field'] as const) {
    const model = small(7, dense(6, 'straight-through'));
    const chosen: number[] = [];
    for await (const event of train(model, cornersSplit, { epochs: 3, batch: 15, validation }))
      if (event.event === 'epoch') {
        assert.equal(event.validLoss, evaluate(model, cornersSplit.valid, { mode: validation }).loss);
        chosen.push(event.validLoss);
      }
    const other = validation === 'threshold' ? 'mean-field' : 'threshold';
    assert.notEqual(chosen.at(-1), evaluate(model, cornersSplit.valid, { mode: other }).loss);
  }
});

test('a task may minimise another loss, which validation tells too; what it measures stays', async () => {
  /** The sum of the outputs' squares: it draws them to 0. */
  const squares: typeof classification.run = (model, pass, batch) => {
    const output = model.apply(pass, placeBatch(pass, batch).x);
    const ones = Array.from({ length: output.columns }, () => [1]);
    return { output, losses: matmul(multiply(output, output), ones) };
  };
  const model = small();
  const events = await eventsOf(model, cornersSplit, { epochs: 30, task: { ...classification, run: squares } });
  const epochs = events.filter((event) => event.event === 'epoch');
  assert.ok(epochs[29].trainLoss < epochs[0].trainLoss / 100, `${epochs[29].trainLoss}`);
  assert.ok(epochs[29].validLoss < epochs[0].trainLoss / 100, `${epochs[29].validLoss}`);
  const { error } = evaluate(model, cornersSplit.valid);
  assert.ok(epochs.some(({ validError }) => validError === error));
});
