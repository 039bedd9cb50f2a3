import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError } from '../../src/data/dataset.ts';
import { ALLOGRAPHS } from '../../src/data/digit-strokes.ts';
import { type DigitsDataset, digits, digitsSplit } from '../../src/data/digits.ts';

const PIXELS = 784;

/** One example's image and points. */
function example(dataset: DigitsDataset, i: number) {
  const { x, y, penUp, offsets } = dataset.strokes;
  const [from, to] = [offsets[i], offsets[i + 1]];
  return {
    image: [...dataset.features.subarray(i * PIXELS, (i + 1) * PIXELS)],
    label: dataset.labels[i],
    writer: dataset.writer[i],
    x: [...x.subarray(from, to)],
    y: [...y.subarray(from, to)],
    penUp: [...penUp.subarray(from, to)],
  };
}

test('the same seed writes the same digits, for ever', () => {
  const { checksum } = digits({ seed: 1, count: 500 });
  assert.equal(checksum, digits({ seed: 1, count: 500 }).checksum);
  assert.equal(checksum, '8b0e71f8929dbf6d73eccbcbe6460c44afc1f3c69fbf57468c6fd9dd88c53eaa');
  assert.notEqual(checksum, digits({ seed: 2, count: 500 }).checksum);
});

test('an example depends on its index only, not on how many are written', () => {
  const all = digits({ seed: 7, count: 60 });
  assert.deepEqual(example(digits({ seed: 7, count: 8 }), 5), example(all, 5));
  const later = digits({ seed: 7, first: 33, count: 27 });
  for (const i of [0, 6, 7, 26]) assert.deepEqual(example(later, i), example(all, 33 + i));
});

test('every ten examples hold every digit once', () => {
  const { labels } = digits({ seed: 3, count: 200 });
  for (let i = 0; i < 200; i += 10)
    assert.deepEqual([...labels.slice(i, i + 10)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('images have paper at the edge, ink within, and a plausible amount of it', () => {
  const dataset = digits({ seed: 4, count: 1000 });
  for (let i = 0; i < dataset.count; i++) {
    const { image, label } = example(dataset, i);
    const ink = image.reduce((sum, byte) => sum + byte, 0) / 255;
    assert.ok(Math.max(...image) > 200, `example ${i} is faint`);
    assert.ok(ink > 12 && ink < 320, `example ${i}, a ${label}, has ${ink} pixels of ink`);
  }
});

test('pen paths stay inside the image, on the grid, and end each example with the pen up', () => {
  const dataset = digits({ seed: 5, count: 1000 });
  const { x, y, penUp, offsets } = dataset.strokes;
  assert.equal(offsets.length, dataset.count + 1);
  assert.equal(offsets[dataset.count], x.length);
  for (const values of [x, y])
    for (const value of values) assert.ok(value >= 1.5 && value <= 26.5 && Number.isInteger(value * 1024), `${value}`);
  const strokes = new Set(ALLOGRAPHS.flat().map((allograph) => allograph.strokes.length));
  for (let i = 0; i < dataset.count; i++) {
    assert.ok(offsets[i + 1] - offsets[i] >= 4 && offsets[i + 1] - offsets[i] < 120);
    assert.equal(penUp[offsets[i + 1] - 1], 1);
    assert.ok(strokes.has(penUp.subarray(offsets[i], offsets[i + 1]).reduce((sum, up) => sum + up, 0)));
  }
});

test('ink lies where the pen was', () => {
  const dataset = digits({ seed: 6, count: 100 });
  for (let i = 0; i < dataset.count; i++) {
    const { image, x, y } = example(dataset, i);
    for (let k = 0; k < x.length; k++) assert.ok(image[Math.floor(y[k]) * 28 + Math.floor(x[k])] > 0);
  }
});

test('a split shares no example, and no writer where writers are held out', () => {
  const shared = digitsSplit({ seed: 8, train: 300, valid: 100, test: 100 });
  const images = new Set<string>();
  for (const part of [shared.train, shared.valid, shared.test])
    for (let i = 0; i < part.count; i++) images.add(example(part, i).image.join());
  assert.equal(images.size, 500);
  const apart = digitsSplit({ seed: 8, train: 300, valid: 100, test: 100, heldOutWriters: true });
  const trained = new Set(apart.train.writer);
  assert.ok([...apart.valid.writer, ...apart.test.writer].every((writer) => !trained.has(writer)));
  assert.deepEqual(apart.train.checksum, shared.train.checksum);
});

test('options out of range are refused in a sentence', () => {
  assert.throws(() => digits({ seed: 1, count: 0 }), DataError);
  assert.throws(() => digits({ seed: 1, count: 1, writers: 0 }), /writers of the digits is 0/);
  assert.throws(() => digits({ seed: 1, count: 1, writers: 10, firstWriter: 65_530 }), DataError);
  assert.throws(() => digits({ seed: -1, count: 1 }), RangeError);
});
