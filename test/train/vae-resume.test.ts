/** An autoencoder's training that is taken up again from a state gives the same bits as one that was never interrupted. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import { createModel, type Model } from '../../src/nn/model.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { vae } from '../../src/tasks/vae.ts';
import { vaeLayers } from '../../src/tasks/vae-pass.ts';
import type { VaeEvent } from '../../src/train/events.ts';
import { checkProgress, type TrainingState, type VaeProgress } from '../../src/train/state.ts';
import { train } from '../../src/train/train.ts';
import type { LoopOptions } from '../../src/train/train-options.ts';
import { digits } from './tiny.ts';

const [one, two] = [await createEngine({ threads: 1 }), await createEngine({ threads: 2 })];
after(() => {
  one.close();
  two.close();
});

const modelOf = (engine: Engine, neuron: string): Model =>
  createModel(engine, { inputs: 784, layers: vaeLayers('linear', 784, neuron, 8), seed: 3 });

/** Epochs and results without what depends on the clock and the number of threads. */
const facts = (events: readonly VaeEvent[]) =>
  events.flatMap((event) => {
    if (event.event === 'batch' || event.event === 'measure') return [];
    const { seconds, ...rest } = event;
    return [{ ...rest, threads: 0 }];
  });

type VaeState = TrainingState<VaeProgress>;
const task = vae({ samples: 2 });

/** As a file would hold it. */
const kept = (state: VaeState): VaeState => ({
  ...state,
  progress: checkProgress<VaeProgress>(JSON.parse(JSON.stringify(state.progress)), task),
});

/** Trains with a stop after every `stride` events, each time with a new model on the other engine. */
async function interrupted(neuron: string, options: LoopOptions, stride: number) {
  const events: VaeEvent[] = [];
  let resume: VaeState | undefined;
  for (let session = 0; session < 100; session++) {
    const model = modelOf(session % 2 ? two : one, neuron);
    const training = train(model, digits, { ...options, task, ...(resume && { resume }) });
    let left = stride;
    for await (const event of training) {
      events.push(event);
      if (event.event === 'result') return { model, events, sessions: session + 1 };
      if (--left === 0) break;
    }
    resume = kept(training.state());
  }
  throw new Error('Training did not end in 100 sessions.');
}

describe('training of an autoencoder resumed from a state', () => {
  const options = { epochs: 3, batch: 100, decay: 0.8, task };
  // One with several draws, those that learn baselines, of the input too, and one that learns a network.
  for (const neuron of ['disarm', 'muprop', 'nvil', 'rodeo:surrogate=network'])
    test(`equals training without an interruption: ${neuron}`, async () => {
      const model = modelOf(one, neuron);
      const whole: VaeEvent[] = [];
      for await (const event of train(model, digits, options)) whole.push(event);
      // Between minibatches and while the validation and the test bounds are measured: the last, of three, takes four events.
      for (const stride of [4, 5]) {
        const run = await interrupted(neuron, options, stride);
        assert.ok(run.sessions >= 3, `${run.sessions} sessions`);
        assert.deepEqual(facts(run.events), facts(whole), `stops every ${stride} events`);
        assert.deepEqual(run.model.snapshot(), model.snapshot(), `stops every ${stride} events`);
      }
    });

  test('goes on with more epochs after the result, and refuses what does not fit', async () => {
    const all = modelOf(one, 'disarm');
    const whole: VaeEvent[] = [];
    for await (const event of train(all, digits, options)) whole.push(event);
    const first = train(modelOf(two, 'disarm'), digits, { ...options, epochs: 2 });
    for await (const event of first) assert.ok(event);
    const state = kept(first.state());
    const model = modelOf(one, 'disarm');
    const rest: VaeEvent[] = [];
    for await (const event of train(model, digits, { ...options, resume: state })) rest.push(event);
    assert.deepEqual(facts(rest), facts(whole).slice(2));
    assert.deepEqual(model.snapshot(), all.snapshot());
    const resumed = (change: Partial<VaeState>, more: LoopOptions = {}) =>
      train(modelOf(one, 'disarm'), digits, { ...options, ...more, resume: { ...state, ...change } });
    const { best: _, ...without } = state;
    assert.throws(() => resumed({ slots: new Map() }), /does not fit the optimizer "adam" at/);
    assert.throws(() => resumed({}, { optimizer: 'sgd' }), /does not fit the optimizer "sgd"/);
    const { best, ...progress } = state.progress;
    assert.ok(best);
    assert.throws(() => resumed({ progress }), /has 2 epochs and no best one/);
    assert.throws(
      () => resumed({ progress: { ...state.progress, batches: 1 } }),
      /has seen 0 examples in 1 minibatches/,
    );
    assert.throws(
      () => train(modelOf(one, 'disarm'), digits, { ...options, resume: without }),
      /lacks the weights of its best epoch/,
    );
    const worse = { ...best, validElbo: Number.NaN };
    assert.throws(() => checkProgress({ ...progress, best: worse }, task), /`best\.validElbo` NaN/);
  });
});
