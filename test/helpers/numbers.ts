import assert from 'node:assert/strict';
import { type RandomStream, randomStream } from '../../src/random/stream.ts';

/** How the elements of a test array are drawn. */
export type Draw = (random: RandomStream, index: number) => number;

/** Numbers of all sizes from 2⁻¹⁰ to 2¹⁰ and both signs, and now and then a zero of either sign. */
export const wide: Draw = (random) => {
  const zero = random.integer(16);
  if (zero < 2) return zero === 0 ? 0 : -0;
  return random.normal() * 2 ** (random.integer(21) - 10);
};

/** Standard normal numbers times a factor. */
export const normal =
  (factor = 1): Draw =>
  (random) =>
    factor * random.normal();

/** Uniform numbers of the kernels' grid: odd multiples of 2⁻²⁴. */
export const uniform: Draw = (random) => random.uniform();

/** Draws Float32 numbers (as Float64, so that every engine gets the same). */
export function drawn(draw: Draw, length: number, seed: number, stream = 0): Float64Array {
  const random = randomStream(seed, stream);
  return Float64Array.from({ length }, (_, i) => Math.fround(draw(random, i)));
}

/** Fails unless |actual − expected| ≤ relative·|scale| + absolute everywhere; NaN equals NaN only. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: { readonly relative?: number; readonly absolute?: number; readonly scale?: ArrayLike<number> },
  what: string,
): void {
  const { relative = 0, absolute = 0, scale = expected } = tolerance;
  assert.equal(actual.length, expected.length, `${what}: lengths`);
  for (let i = 0; i < actual.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    const error = Math.abs(actual[i] - expected[i]);
    if (error <= relative * Math.abs(scale[i]) + absolute) continue;
    assert.fail(`${what}[${i}] is ${actual[i]}, expected ${expected[i]} (error ${error}, scale ${scale[i]})`);
  }
}

/** Fails unless both hold the same bits. */
export function assertSameBits(actual: Float32Array, expected: Float32Array, what: string): void {
  const [a, b] = [actual, expected].map((x) => new Int32Array(x.buffer, x.byteOffset, x.length));
  const at = a.findIndex((bits, i) => bits !== b[i]);
  if (at >= 0) assert.fail(`${what}[${at}] is ${actual[at]}, expected exactly ${expected[at]}`);
}
