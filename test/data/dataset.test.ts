import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DataError, makeDataset, slice, splitOff, subset } from '../../src/data/dataset.ts';

/** Ten examples of two features, 10·i and 10·i + 1, with the label i mod 3. */
const ten = makeDataset({
  name: 'ten',
  features: Float32Array.from({ length: 20 }, (_, i) => 10 * (i >> 1) + (i & 1)),
  scale: 1,
  labels: Uint8Array.from({ length: 10 }, (_, i) => i % 3),
  width: 2,
  classes: 3,
});

test('the checksum is the SHA-256 of the bytes of the features, then of the labels', () => {
  const { features, labels, checksum } = ten;
  assert.equal(checksum, createHash('sha256').update(new Uint8Array(features.buffer)).update(labels).digest('hex'));
  assert.equal(slice(ten, 0, 10).checksum, checksum);
  assert.notEqual(slice(ten, 1, 10).checksum, slice(ten, 0, 9).checksum);
});

test('subset copies the examples asked for, slice shares them', () => {
  const chosen = subset(ten, [7, 2, 7]);
  assert.deepEqual([...chosen.features], [70, 71, 20, 21, 70, 71]);
  assert.deepEqual([...chosen.labels], [1, 2, 1]);
  const middle = slice(ten, 3, 5);
  assert.deepEqual([...middle.features], [30, 31, 40, 41]);
  assert.equal(middle.features.buffer, ten.features.buffer);
  assert.equal(middle.count, 2);
});

test('splitOff divides the examples by the seed and loses none', () => {
  const { rest, part } = splitOff(ten, 3, 5);
  assert.equal(part.count, 3);
  const firsts = [...rest.features, ...part.features].filter((_, i) => i % 2 === 0);
  assert.deepEqual(
    firsts.sort((a, b) => a - b),
    [0, 10, 20, 30, 40, 50, 60, 70, 80, 90],
  );
  assert.equal(splitOff(ten, 3, 5).part.checksum, part.checksum);
  assert.ok([1, 2, 3, 4].some((seed) => splitOff(ten, 3, seed).part.checksum !== part.checksum));
});

test('what does not fit together is refused', () => {
  const facts = {
    name: 'x',
    features: new Uint8Array(6),
    scale: 1,
    labels: Uint8Array.of(0, 1, 2),
    width: 2,
    classes: 3,
  };
  assert.equal(makeDataset(facts).count, 3);
  assert.throws(() => makeDataset({ ...facts, labels: new Uint8Array(0) }), /no examples/);
  assert.throws(() => makeDataset({ ...facts, features: new Uint8Array(5) }), DataError);
  assert.throws(() => makeDataset({ ...facts, width: 2.5 }), DataError);
  assert.throws(() => makeDataset({ ...facts, classes: 2 }), /Example 2 of x has the label 2/);
  assert.throws(() => makeDataset({ ...facts, classes: 257 }), DataError);
  assert.throws(() => makeDataset({ ...facts, image: { width: 3, height: 1 } }), DataError);
  assert.throws(() => subset(ten, [10]), /no example 10 in ten/);
  assert.throws(() => slice(ten, 5, 11), DataError);
  assert.throws(() => slice(ten, 5, 5), DataError);
  assert.throws(() => splitOff(ten, 10, 1), DataError);
});
