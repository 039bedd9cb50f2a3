/**
 * Philox4x32-10: a counter-based generator. Ten rounds turn a 128-bit counter and a 64-bit key into 128 random bits.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Upper 32 bits of the unsigned product a·b (Math.imul gives the lower 32). */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + ((middle & 0xffff) + aLow * bHigh) / 0x10000) >>> 0;
}

/**
 * One Philox4x32-10 block.
 * @param counter four 32-bit words; not changed
 * @param out receives four unsigned 32-bit words
 */
export function philox(
  counter: readonly [number, number, number, number],
  key0: number,
  key1: number,
  out: Uint32Array,
): Uint32Array {
  let [c0, c1, c2, c3] = counter;
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0 >>> 0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2 >>> 0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}

/**
 * The uniform number of a random word: (2·(word >>> 9) + 1)·2⁻²⁴, one of 2²³ values, symmetric about ½,
 * never 0 or 1, exact in Float32.
 */
export function wordToUniform(word: number): number {
  return (2 * (word >>> 9) + 1) / 0x1000000;
}
