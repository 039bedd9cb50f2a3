import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError } from '../../src/data/dataset.ts';
import { penStrings } from '../../src/data/pen-strings.ts';

/** One string's points and labels. */
function string(set: ReturnType<typeof penStrings>, i: number) {
  return {
    features: [...set.features.subarray(set.offsets[i] * set.width, set.offsets[i + 1] * set.width)],
    labels: [...set.labels.subarray(set.labelOffsets[i], set.labelOffsets[i + 1])],
    writer: set.writer[i],
  };
}

test('a string depends on its index only; the same seed writes the same strings, for ever', () => {
  const all = penStrings({ seed: 7, count: 40 });
  assert.deepEqual(string(penStrings({ seed: 7, count: 8 }), 5), string(all, 5));
  assert.deepEqual(string(penStrings({ seed: 7, first: 30, count: 10 }), 4), string(all, 34));
  assert.equal(all.checksum, penStrings({ seed: 7, count: 40 }).checksum);
  assert.notEqual(all.checksum, penStrings({ seed: 8, count: 40 }).checksum);
});

test('strings have one to three digits of one writer, all labels and lengths come', () => {
  const set = penStrings({ seed: 3, count: 400, writers: 9, firstWriter: 20 });
  const lengths = new Set(Array.from({ length: 400 }, (_, i) => string(set, i).labels.length));
  assert.deepEqual([...lengths].sort(), [1, 2, 3]);
  assert.equal(new Set(set.labels).size, 10);
  assert.ok(set.writer.every((writer) => writer >= 20 && writer < 29));
  assert.equal(set.offsets[400] * set.width, set.features.length);
});

test('movements add up to a pen that goes from left to right inside the line, and lifts before every digit and at the end', () => {
  const set = penStrings({ seed: 4, count: 200 });
  for (let i = 0; i < 200; i++) {
    const { features, labels } = string(set, i);
    const points = features.length / 4;
    let [x, y, lifts, highest] = [0, 0, 0, 0];
    for (let p = 0; p < points; p++) {
      const [dx, dy, height, lifted] = features.slice(4 * p, 4 * p + 4);
      x += 2 * dx;
      y += 2 * dy;
      lifts += lifted;
      highest = Math.max(highest, x);
      assert.ok(Math.abs(y - 7 * height) < 1e-4, 'the height is where the movements lead');
      assert.ok(Math.abs(height) <= 12.5 / 7);
    }
    assert.ok(lifts >= labels.length + 1);
    assert.equal(features[3], 1);
    assert.equal(features[features.length - 1], 1);
    assert.ok(Math.abs(x - highest) < 1e-4, 'the pen ends at the right');
  }
});

test('options out of range are refused in a sentence', () => {
  assert.throws(() => penStrings({ seed: 1, count: 0 }), DataError);
  assert.throws(() => penStrings({ seed: 1, count: 1, digits: [2, 1] }), /most digits of the pen strings is 1/);
});
