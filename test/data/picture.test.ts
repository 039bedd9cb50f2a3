import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DataError } from '../../src/data/dataset.ts';
import { digits } from '../../src/data/digits.ts';
import { fitPicture, type Picture } from '../../src/data/picture.ts';

const SHAPE = { width: 28, height: 28 };

/** A picture by a function of its pixels. */
const draw = (width: number, height: number, value: (x: number, y: number) => number): Picture => ({
  width,
  height,
  values: Float32Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width))),
});

/** Where the ink is, in pixels: its box and its centre of mass. */
function inkOf(pixels: Uint8Array) {
  let [left, top, right, bottom, mass, x, y] = [28, 28, -1, -1, 0, 0, 0];
  pixels.forEach((value, i) => {
    if (value === 0) return;
    const [px, py] = [i % 28, Math.floor(i / 28)];
    [left, top, right, bottom] = [Math.min(left, px), Math.min(top, py), Math.max(right, px), Math.max(bottom, py)];
    mass += value;
    x += value * (px + 0.5);
    y += value * (py + 0.5);
  });
  return { width: right - left + 1, height: bottom - top + 1, x: x / mass, y: y / mass };
}

describe('a picture fitted to a data set', () => {
  const example = digits({ seed: 3, count: 1 });
  const own: Picture = { ...SHAPE, values: Float32Array.from(example.features, (byte) => byte / 255) };

  test('of the right size and bright on dark is left as it is', () => {
    assert.deepEqual(fitPicture(own, SHAPE), { pixels: new Uint8Array(example.features), done: [] });
  });

  test('of the right size and dark on bright is inverted, and that is said', () => {
    const inverted = { ...own, values: own.values.map((v) => 1 - v) };
    const { pixels, done } = fitPicture(inverted, SHAPE);
    assert.deepEqual(pixels, new Uint8Array(example.features));
    assert.deepEqual(done, ['inverted (its border is bright)']);
  });

  for (const [name, width, height] of [
    ['larger', 640, 480],
    ['smaller', 12, 11],
  ] as const)
    test(`of another size, ${name}: its ink fills 20 pixels and is centred`, () => {
      // A dark bar on grey paper, off the middle, twice as high as wide.
      const bar = draw(width, height, (x, y) =>
        x >= width * 0.1 && x < width * 0.1 + height * 0.4 && y >= height * 0.05 && y < height * 0.85 ? 0.1 : 0.8,
      );
      const { pixels, done } = fitPicture(bar, SHAPE);
      const ink = inkOf(pixels);
      assert.ok(Math.abs(ink.height - 20) <= 1 && Math.abs(ink.width - 10) <= 2, `${ink.width} × ${ink.height}`);
      assert.ok(Math.abs(ink.x - 14) <= 1 && Math.abs(ink.y - 14) <= 1, `${ink.x}, ${ink.y}`);
      assert.equal(Math.max(...pixels), 255, 'contrast is stretched');
      assert.equal(pixels[0], 0, 'paper is black');
      assert.match(
        done.join('; '),
        /^inverted .*; its ink, \d+ × \d+ of \d+ × \d+ pixels, scaled to \d+ × 20 and centred/,
      );
    });

  test('scaling keeps the mean brightness of what is scaled', () => {
    const checks = draw(40, 40, (x, y) => (x === 0 || y === 0 || x === 39 || y === 39 ? 0 : (x + y) % 2));
    const { pixels } = fitPicture(checks, SHAPE);
    const inner = Array.from({ length: 100 }, (_, i) => pixels[(9 + Math.floor(i / 10)) * 28 + 9 + (i % 10)]);
    assert.ok(Math.abs(inner.reduce((sum, v) => sum + v, 0) / 100 - 127.5) < 6);
  });

  test('of one colour is refused', () => {
    for (const value of [0, 0.5, 1])
      assert.throws(
        () =>
          fitPicture(
            draw(50, 40, () => value),
            SHAPE,
          ),
        (error: Error) => {
          return error instanceof DataError && /of one colour/.test(error.message);
        },
      );
  });
});
