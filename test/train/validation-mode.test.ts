import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createEngine } from '../../src/backend/engine.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { train } from '../../src/train/train.ts';
import { digits, gatedModel } from './tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

test('an epoch is validated by the form of the network that `validation` names, and the best one is chosen by it', async () => {
  const errors = new Map<string, number[]>();
  for (const mode of ['threshold', 'mean-field', 'sample'] as const) {
    const model = gatedModel(engine, { neuron: 'stochastic-binary', rate: 0.3 });
    const seen: number[] = [];
    for await (const event of train(model, digits, { epochs: 3, batch: 10, validation: mode })) {
      if (event.event === 'epoch') {
        assert.equal(event.validError, evaluate(model, digits.valid, { mode }).error, mode);
        seen.push(event.validError);
      }
      if (event.event !== 'result') continue;
      assert.equal(event.validError, Math.min(...seen), mode);
      assert.equal(event.bestEpoch, 1 + seen.indexOf(event.validError), mode);
    }
    errors.set(mode, seen);
  }
  // Trainings are the same; what is measured of them differs.
  assert.notDeepEqual(errors.get('sample'), errors.get('threshold'));
});
