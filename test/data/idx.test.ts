import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DataError } from '../../src/data/dataset.ts';
import { encodeIdx, idxDataset, parseIdx } from '../../src/data/idx.ts';

const images = { shape: [3, 2, 4], data: Uint8Array.from({ length: 24 }, (_, i) => 10 * i) };
const labels = { shape: [3], data: Uint8Array.of(2, 0, 1) };

test('IDX is written and read back', () => {
  const bytes = encodeIdx(images);
  assert.deepEqual([...bytes.subarray(0, 16)], [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 4]);
  assert.deepEqual(parseIdx(bytes), images);
  const shifted = new Uint8Array(bytes.length + 5);
  shifted.set(bytes, 5);
  assert.deepEqual(parseIdx(shifted.subarray(5)), images);
});

const headed = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const whole = encodeIdx(labels);
const DAMAGED: readonly [string, Uint8Array, RegExp][] = [
  ['nothing', headed(), /0 bytes/],
  ['a gzip file', headed(0x1f, 0x8b, 8, 0), /compressed with gzip/],
  ['another format', headed(0x89, 0x50, 0x4e, 0x47), /89 50 4e 47/],
  ['another type', headed(0, 0, 13, 1, 0, 0, 0, 0), /32-bit floats/],
  ['an unknown type', headed(0, 0, 77, 1, 0, 0, 0, 0), /unknown type 77/],
  ['no dimensions', headed(0, 0, 8, 0), /no dimensions/],
  ['a header cut short', headed(0, 0, 8, 2, 0, 0, 0, 1), /inside its header of 12/],
  ['data cut short', whole.subarray(0, -1), /truncated/],
  ['trailing bytes', Uint8Array.of(...whole, 0), /after its end/],
  ['an absurd size', headed(0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255), /truncated/],
];

for (const [what, bytes, message] of DAMAGED)
  test(`${what} is refused as IDX`, () => {
    assert.throws(
      () => parseIdx(bytes, 'labels.idx'),
      (error: Error) => error instanceof DataError && message.test(error.message),
    );
  });

test('any bytes and any mutation of a file are either read exactly or refused', () => {
  const check = (bytes: Uint8Array): void => {
    try {
      assert.deepEqual(encodeIdx(parseIdx(bytes)), bytes);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), check));
  const edits = fc.array(fc.tuple(fc.nat(20), fc.nat(255)), { minLength: 1, maxLength: 4 });
  const mutated = fc.tuple(edits, fc.nat(40)).map(([list, length]) => {
    const bytes = encodeIdx(images);
    for (const [at, value] of list) bytes[at] = value;
    return bytes.slice(0, length);
  });
  fc.assert(fc.property(mutated, check), { numRuns: 500 });
});

test('what is no tensor is not written', () => {
  assert.throws(() => encodeIdx({ shape: [], data: Uint8Array.of(1) }), DataError);
  assert.throws(() => encodeIdx({ shape: [2], data: Uint8Array.of(1) }), /holds 2 bytes, but 1/);
  assert.throws(() => encodeIdx({ shape: [-1], data: new Uint8Array(0) }), DataError);
});

test('examples and labels make a data set', () => {
  const dataset = idxDataset('three', images, labels);
  assert.deepEqual([dataset.count, dataset.width, dataset.classes, dataset.scale], [3, 8, 3, 1 / 255]);
  assert.deepEqual(dataset.image, { width: 4, height: 2 });
  assert.throws(() => idxDataset('three', images, labels, 2), /label 2/);
  assert.throws(
    () => idxDataset('three', images, { shape: [2], data: Uint8Array.of(0, 1) }),
    /3 examples and 2 labels/,
  );
  assert.throws(() => idxDataset('three', labels, labels), DataError);
  assert.throws(() => idxDataset('three', images, images), DataError);
});
