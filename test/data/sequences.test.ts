import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DataError } from '../../src/data/dataset.ts';
import { joinSequences } from '../../src/data/sequences.ts';
import { createModel, ctc, dense, lstm, train } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';

const facts = { name: 'strings', width: 2, classes: 3 };
const good = { features: [1, 2, 3, 4], labels: [0, 2] };

describe('sequences', () => {
  for (const [what, sequence, message] of [
    [
      'a label that is no class',
      { ...good, labels: [0, 3] },
      'Label 1 of sequence 1 of strings is 3. Expected a whole number from 0 to 2.',
    ],
    [
      'a label below 0',
      { ...good, labels: [-1] },
      'Label 0 of sequence 1 of strings is -1. Expected a whole number from 0 to 2.',
    ],
    [
      'a label between',
      { ...good, labels: [1.7] },
      'Label 0 of sequence 1 of strings is 1.7. Expected a whole number from 0 to 2.',
    ],
    [
      'half a point',
      { ...good, features: [1, 2, 3] },
      'Sequence 1 of strings has 3 numbers. Expected a multiple of 2, the features of a point.',
    ],
    [
      'no number',
      { ...good, features: [1, Number.NaN] },
      'Number 1 of sequence 1 of strings is NaN. Expected a finite number.',
    ],
  ] as const)
    test(`refuses ${what}`, () =>
      assert.throws(
        () => joinSequences(facts, [good, sequence]),
        (error) => {
          assert.ok(error instanceof DataError);
          assert.equal(error.message, message);
          return true;
        },
      ));

  test('refuses more classes than a byte tells apart', () =>
    assert.throws(
      () => joinSequences({ ...facts, classes: 300 }, [good]),
      /strings has 300 classes\. Expected .* from 1 to 256/,
    ));

  test('keeps what is given', () => {
    const { features, offsets, labels, labelOffsets } = joinSequences(facts, [
      good,
      { features: [], labels: [] },
      good,
    ]);
    assert.deepEqual([...features], [1, 2, 3, 4, 1, 2, 3, 4]);
    assert.deepEqual(
      [[...offsets], [...labels], [...labelOffsets]],
      [
        [0, 2, 2, 4],
        [0, 2, 0, 2],
        [0, 2, 2, 4],
      ],
    );
  });

  test('that are too short for their labels are named by their place in the data, before anything is trained', async () => {
    const engine = await createEngine({ threads: 1 });
    const many = Array.from({ length: 20 }, () => ({ features: new Float32Array(12).fill(1), labels: [0, 1] }));
    const short = { features: new Float32Array(4), labels: [1, 1] };
    const [whole, broken] = [joinSequences(facts, many), joinSequences(facts, many.toSpliced(17, 0, short))];
    for (const parts of [
      { train: broken, valid: whole, test: whole },
      { train: whole, valid: broken, test: whole },
    ]) {
      const model = createModel(engine, { inputs: 2, layers: [lstm(4), dense(4)] });
      const before = model.snapshot();
      await assert.rejects(async () => {
        for await (const _ of train(model, parts, { task: ctc, epochs: 1 }));
      }, /Sequence 17 of "strings" has 2 points\. Expected 3 or more for its 2 labels/);
      assert.deepEqual(model.snapshot(), before);
    }
    engine.close();
  });
});
