/** One training at a time of one model: two would mix their steps without a word. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createModel } from '../../src/nn/model.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { ctc } from '../../src/tasks/ctc.ts';
import { vae } from '../../src/tasks/vae.ts';
import { vaeLayers } from '../../src/tasks/vae-pass.ts';
import { train } from '../../src/train/train.ts';
import { digits, eventsOf, gatedModel } from './tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const OPTIONS = { epochs: 2, batch: 50 };
const REFUSAL = {
  name: 'RangeError',
  message: /^The model is being trained already, .* Expected the end of the first/,
};
/** Nothing that is trained on is looked at before the refusal. */
const NO_DATA = {} as never;

describe('a second training of a model', () => {
  test('is refused while the first goes on, which is not disturbed', async () => {
    const whole = gatedModel(engine);
    await eventsOf(whole, digits, OPTIONS);
    const model = gatedModel(engine);
    let asked = 0;
    for await (const _ of train(model, digits, OPTIONS)) {
      if (asked++ > 2) continue;
      assert.throws(() => train(model, digits, OPTIONS), REFUSAL);
      assert.throws(() => train(model, digits, { ...OPTIONS, task: vae() }), REFUSAL);
      assert.throws(() => train(model, NO_DATA, { task: ctc }), REFUSAL);
    }
    assert.ok(asked > 2);
    assert.deepEqual(model.snapshot(), whole.snapshot());
  });

  test('is refused at its first event where both were made before either began', async () => {
    const model = gatedModel(engine);
    const [first, second] = [train(model, digits, OPTIONS), train(model, digits, OPTIONS)];
    await first.next();
    await assert.rejects(second.next(), REFUSAL);
    await first.return();
  });

  test('of an autoencoder is refused before its biases start anew', async () => {
    const layers = vaeLayers('linear', 784, 'disarm', 8);
    const model = createModel(engine, { inputs: 784, layers });
    const first = train(model, digits, { ...OPTIONS, task: vae() });
    await first.next();
    const before = model.snapshot();
    assert.throws(() => train(model, digits, { ...OPTIONS, task: vae() }), REFUSAL);
    assert.deepEqual(model.snapshot(), before);
    await first.return();
  });

  test('is welcome once the first has ended: by its end, a break, its signal or an error', async () => {
    const model = gatedModel(engine);
    await eventsOf(model, digits, OPTIONS);
    for await (const _ of train(model, digits, OPTIONS)) break;
    const controller = new AbortController();
    await assert.rejects(
      (async () => {
        for await (const _ of train(model, digits, { ...OPTIONS, signal: controller.signal })) controller.abort();
      })(),
      { name: 'AbortError' },
    );
    assert.equal((await eventsOf(model, digits, OPTIONS)).at(-1)?.event, 'result');
    const broken = eventsOf.bind(undefined, model, digits, { ...OPTIONS, gaterLearningRate: Number.MAX_VALUE });
    await assert.rejects(broken(), { name: 'NonFiniteError' });
    // The model is beyond use; that it may be trained is what it is refused for no more.
    await assert.rejects(broken(), { name: 'NonFiniteError' });
  });

  test('of another model on the same engine goes on beside it', async () => {
    const [a, b, alone] = [gatedModel(engine), gatedModel(engine), gatedModel(engine)];
    await eventsOf(alone, digits, OPTIONS);
    const [one, other] = [train(a, digits, OPTIONS), train(b, digits, OPTIONS)];
    for (let ends = 0; ends < 2; ) ends = [await one.next(), await other.next()].filter(({ done }) => done).length;
    assert.deepEqual(a.snapshot(), alone.snapshot());
    assert.deepEqual(b.snapshot(), alone.snapshot());
  });
});
