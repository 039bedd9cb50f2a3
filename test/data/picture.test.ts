import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DataError } from '../../src/data/dataset.ts';
import { digits } from '../../src/data/digits.ts';
import type { Picture } from '../../src/data/grey-picture.ts';
import { fitPicture } from '../../src/data/picture.ts';
import { randomStream } from '../../src/random/stream.ts';
import { full } from '../helpers/extent.ts';

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

  describe('a photograph of paper', () => {
    const random = randomStream(11, 0x70686f74);
    /** Ink of a digit, 0 to 1, as it lies on a larger page. */
    const inkAt = (number: number, [width, height]: readonly [number, number], size: number) => {
      const { features } = digits({ seed: 3, first: number, count: 1 });
      const [left, top] = [(width - size) / 2 + 9, (height - size) / 2 - 7];
      const at = (x: number, y: number) => (x < 0 || y < 0 || x > 27 || y > 27 ? 0 : features[y * 28 + x] / 255);
      return (px: number, py: number): number => {
        const [x, y] = [((px - left) / size) * 28 - 0.5, ((py - top) / size) * 28 - 0.5];
        const [u, v] = [Math.floor(x), Math.floor(y)];
        const [a, b] = [x - u, y - v];
        return (1 - b) * ((1 - a) * at(u, v) + a * at(u + 1, v)) + b * ((1 - a) * at(u, v + 1) + a * at(u + 1, v + 1));
      };
    };
    /** How much of the ink is elsewhere, moved by a pixel at most. */
    const distance = (a: Uint8Array, b: Uint8Array): number =>
      Math.min(
        ...[-29, -28, -27, -1, 0, 1, 27, 28, 29].map(
          (shift) =>
            a.reduce((sum, v, i) => sum + Math.abs(v - (b[i + shift] ?? 0)), 0) / b.reduce((sum, v) => sum + v, 0),
        ),
      );
    /** How much of each pixel's light paper and lamp leave, from the left top. */
    const lights: Record<string, (x: number, y: number) => number> = {
      'in a light that falls off': (x, y) => 0.95 - 0.35 * x - 0.2 * y,
      'half in a sharp shadow': (x, y) => (x + 0.3 * y > 0.6 ? 0.45 : 0.9),
      'on grey paper': () => 0.4,
      'with a lamp in the middle': (x, y) => 0.9 - 0.9 * ((x - 0.5) ** 2 + (y - 0.4) ** 2),
    };
    for (const [name, light] of Object.entries(lights))
      for (const grain of [0, 0.04])
        test(`${name}, grain ${grain}: is the digit as it is on plain paper`, () => {
          for (let number = 0; number < (full ? 10 : 3); number++) {
            const [width, height] = [320, 240];
            const ink = inkAt(number, [width, height], 150);
            const plain = fitPicture(draw(width, height, ink), SHAPE).pixels;
            const photo = draw(width, height, (x, y) =>
              Math.min(1, Math.max(0, light(x / width, y / height) * (1 - 0.8 * ink(x, y)) + grain * random.normal())),
            );
            const { pixels, done } = fitPicture(photo, SHAPE);
            assert.match(done[0], /inverted/);
            const off = distance(pixels, plain);
            assert.ok(off < 0.3, `digit ${number}: ${off.toFixed(2)} of the ink is elsewhere`);
          }
        });

    /** What is drawn on the paper besides: how much of its light is left; and how much of the ink may then be elsewhere. */
    const rulings: Record<string, readonly [(x: number, y: number) => number, number]> = {
      'faint lines': [(_, y) => (y % 24 < 1 ? 0.75 : 1), 0.3],
      'faint lines and a margin': [(x, y) => (x >= 40 && x < 42 ? 0.6 : y % 24 < 1 ? 0.75 : 1), 0.3],
      squares: [(x, y) => (x % 15 < 1 || y % 15 < 1 ? 0.7 : 1), 0.5],
    };
    const ruled = (number: number, ruling: (x: number, y: number) => number, grain: number) => {
      const [width, height] = [400, 300];
      const ink = inkAt(number, [width, height], 190);
      const page = draw(width, height, (x, y) =>
        Math.min(1, Math.max(0, 0.92 * Math.min(ruling(x, y), 1 - 0.8 * ink(x, y)) + grain * random.normal())),
      );
      return { page, plain: fitPicture(draw(width, height, ink), SHAPE).pixels };
    };
    for (const [name, [ruling, most]] of Object.entries(rulings))
      for (const grain of [0, 0.03])
        test(`of ${name}, grain ${grain}: they are left out`, () => {
          for (let number = 0; number < (full ? 10 : 3); number++) {
            const { page, plain } = ruled(number, ruling, grain);
            const { pixels, done } = fitPicture(page, SHAPE);
            const off = distance(pixels, plain);
            assert.ok(off < most, `digit ${number}: ${off.toFixed(2)} of the ink is elsewhere; ${done.join('; ')}`);
            assert.doesNotMatch(done.join(), /border to border/);
          }
        });

    test('dark lines are left out or told of', () => {
      for (let number = 0; number < (full ? 10 : 3); number++) {
        const { page, plain } = ruled(number, (_, y) => (y % 24 < 2 ? 0.45 : 1), 0);
        const { pixels, done } = fitPicture(page, SHAPE);
        const told = /its ink goes from border to border: lines of the paper, or what is cut off/.test(done.join('; '));
        assert.ok(told || distance(pixels, plain) < 0.5, `digit ${number}: ${done.join('; ')}`);
      }
      const { page } = ruled(3, (_, y) => (y % 40 < 8 ? 0.5 : 1), 0.01);
      assert.match(fitPicture(page, SHAPE).done.join('; '), /its ink goes from border to border/);
    });

    test('ink that is cut off is told of', () => {
      const cut = draw(60, 80, (x) => (Math.abs(x - 30) < 6 ? 0.1 : 0.9));
      const { pixels, done } = fitPicture(cut, SHAPE);
      assert.match(done.join('; '), /its ink goes from border to border/);
      assert.equal(inkOf(pixels).height, 20);
      const whole = draw(60, 80, (x, y) => (Math.abs(x - 30) < 6 && y > 2 && y < 77 ? 0.1 : 0.9));
      assert.doesNotMatch(fitPicture(whole, SHAPE).done.join('; '), /border to border|lines/);
    });

    test('of paper without ink is refused, in any light', () => {
      for (const light of Object.values(lights)) {
        const paper = draw(320, 240, (x, y) => light(x / 320, y / 240) + 0.02 * random.normal());
        assert.throws(() => fitPicture(paper, SHAPE), { name: 'DataError', message: /one colour|no ink/ });
      }
    });
  });
});
