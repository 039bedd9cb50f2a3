/** Training that is taken up again from a state gives the same bits as training that was never interrupted. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { adam } from '../../src/optim/adam.ts';
import { sgd } from '../../src/optim/sgd.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { classification } from '../../src/tasks/classification.ts';
import type { TrainEvent } from '../../src/train/events.ts';
import { checkProgress, type TrainingState } from '../../src/train/state.ts';
import { train } from '../../src/train/train.ts';
import type { TrainOptions } from '../../src/train/train-options.ts';
import { slow } from '../helpers/extent.ts';
import { cornersSplit, digits, eventsOf, gatedModel } from './tiny.ts';

const [one, two] = [await createEngine({ threads: 1 }), await createEngine({ threads: 2 })];
after(() => {
  one.close();
  two.close();
});

const CASES: readonly [string, LayerSpec[], TrainOptions][] = [
  ['sgd, rectifier gates whose λ follows the open share, nudged', [gates('noisy-rectifier', { nudge: true })], {}],
  [
    'momentum, max-norm, decay',
    [gates('straight-through')],
    { optimizer: sgd({ momentum: 0.9 }), maxNorm: 1, decay: 0.8 },
  ],
  ['adam, learned baselines', [gates('stochastic-binary')], { optimizer: adam(), gaterLearningRate: 1e-4 }],
  ['several draws', [gates('rloo')], { optimizer: adam() }],
  ['several draws, averages of other networks', [gates('muprop')], {}],
  ['epochs of a part of the data', [gates('noisy-rectifier')], { examplesPerEpoch: 70, epochs: 8 }],
  ['selection biases', [gates('top-k', { balance: true })], { optimizer: adam() }],
  [
    'hidden units',
    [dense(16, 'stochastic-binary:baseline=moving-average')],
    { optimizer: adam({ learningRate: 0.01 }) },
  ],
  ['two gated layers, open blocks alone', [gates('noisy-rectifier', { compute: 'blocks' }), gates('rectifier')], {}],
];

function gates(neuron: string, options = {}): LayerSpec {
  return gated(24, { blocks: 8, gater: [6], activation: 'tanh', rate: 0.3, neuron, ...options });
}

const modelOf = (engine: Engine, layers: LayerSpec[]): Model =>
  createModel(engine, { inputs: 784, layers: [...layers, dense(10)], seed: 3 });

/** Events without what depends on the clock and the number of threads. */
const facts = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => {
    if (event.event === 'batch') return [];
    const { seconds, ...rest } = event;
    return [{ ...rest, threads: 0 }];
  });

/** As a file would hold it. */
const kept = (state: TrainingState): TrainingState => ({
  ...state,
  progress: checkProgress(JSON.parse(JSON.stringify(state.progress)), classification),
});

/** Trains with a stop after every `stride` events, each time with a new model on the other engine. */
async function interrupted(layers: LayerSpec[], options: TrainOptions, stride: number) {
  const events: TrainEvent[] = [];
  let resume: TrainingState | undefined;
  for (let session = 0; session < 500; session++) {
    const model = modelOf(session % 2 ? two : one, layers);
    const training = train(model, digits, { ...options, ...(resume && { resume }) });
    let left = stride;
    for await (const event of training) {
      events.push(event);
      if (event.event === 'result') return { model, events, sessions: session + 1 };
      if (--left === 0) break;
    }
    resume = kept(training.state());
  }
  throw new Error('Training did not end in 500 sessions.');
}

describe('training resumed from a state', () => {
  for (const [i, [name, layers, extra]] of CASES.entries())
    test(`equals training without an interruption: ${name}`, { skip: i % 3 > 0 && slow }, async () => {
      const options = { epochs: 3, batch: 40, ...extra };
      const model = modelOf(one, layers);
      const expected = facts(await eventsOf(model, digits, options));
      for (const stride of [1, 5, 9]) {
        const run = await interrupted(layers, options, stride);
        assert.ok(run.sessions >= 3, `${run.sessions} sessions`);
        assert.deepEqual(facts(run.events), expected, `stops every ${stride} events`);
        assert.deepEqual(run.model.snapshot(), model.snapshot(), `stops every ${stride} events`);
      }
    });

  test('goes on after a signal stopped it, and with more epochs than were asked for at first', async () => {
    const all = gatedModel(one);
    const expected = facts(await eventsOf(all, digits, { epochs: 4, batch: 50 }));
    const controller = new AbortController();
    const training = train(gatedModel(two), digits, { epochs: 2, batch: 50, signal: controller.signal });
    const seen: TrainEvent[] = [];
    await assert.rejects(
      async () => {
        for await (const event of training) if (seen.push(event) === 10) controller.abort();
      },
      { name: 'AbortError' },
    );
    const model = gatedModel(one);
    seen.push(...(await eventsOf(model, digits, { epochs: 4, batch: 50, resume: kept(training.state()) })));
    const epochs = facts(seen).map((event) => ({ ...event, ...('learningRate' in event && { epochs: 4 }) }));
    assert.deepEqual(epochs, expected);
    assert.deepEqual(model.snapshot(), all.snapshot());
  });

  test('a state is a copy, seconds add up, and after the result it is that of the last epoch', async () => {
    const training = train(gatedModel(one), digits, { epochs: 1, batch: 100 });
    await training.next();
    const state = training.state();
    const before = structuredClone(state.model);
    await training.next();
    assert.deepEqual(state.model, before);
    assert.equal(state.progress.step, 1);
    const later = { ...state, progress: { ...state.progress, seconds: 1000 } };
    const events = await eventsOf(gatedModel(two), digits, { epochs: 1, batch: 100, resume: later });
    const result = events.at(-1);
    assert.ok(result?.event === 'result' && result.seconds > 1000 && result.seconds < 1060);
    for await (const event of training) assert.ok(event);
    const more = { epochs: 2, batch: 100 };
    const expected = facts(await eventsOf(gatedModel(one), digits, more)).slice(1);
    assert.deepEqual(facts(await eventsOf(gatedModel(two), digits, { ...more, resume: training.state() })), expected);
  });

  test('a state that does not fit is refused with a sentence', async () => {
    const training = train(gatedModel(one), digits, { epochs: 2, batch: 100 });
    for await (const event of training) if (event.event === 'epoch') break;
    const state = training.state();
    const refused = (change: Partial<TrainingState>, message: RegExp, options: TrainOptions = { batch: 100 }) =>
      assert.throws(
        () => train(gatedModel(one), digits, { ...options, resume: { ...state, ...change } }),
        (error: Error) => error instanceof RangeError && message.test(error.message),
      );
    const without = new Map(state.model);
    without.delete('gated0.gates.threshold');
    refused({ model: without }, /no array for "gated0.gates.threshold"; this model has 1/);
    refused({ model: new Map([...state.model, ['x', new Float32Array(1)]]) }, /holds "x", which this model does not/);
    refused({ model: new Map([...state.model, ['dense1.bias', new Float32Array(3)]]) }, /3 values for "dense1.bias"/);
    refused({}, /does not fit the optimizer "adam" at gated0/, { batch: 100, optimizer: 'adam' });
    const { best, ...alone } = state;
    assert.ok(best);
    assert.throws(() => train(gatedModel(one), digits, { batch: 100, resume: alone }), /lacks the weights of its best/);
    const midway = { ...state.progress, batches: 2, examples: 200 };
    refused({ progress: midway }, /200 examples in 2 minibatches, which minibatches of 50 of 300/, { batch: 50 });
    for (const [field, value] of [
      ['step', -1],
      ['step', 1.5],
      ['lossSum', null],
      ['seconds', Number.NaN],
      ['best', undefined],
      ['best', { epoch: 1 }],
    ] as const)
      refused(
        { progress: { ...state.progress, [field]: value } as never },
        /^The progress of training has .*(step|lossSum|seconds|best)/,
      );
    assert.throws(
      () => train(createModel(one, { inputs: 2, layers: [dense(3)] }), cornersSplit, { resume: state }),
      RangeError,
    );
  });
});
