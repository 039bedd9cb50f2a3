import { normalQuantile } from '../math/special.ts';
import { philox, wordToUniform } from './philox.ts';

/** Where nobody says a seed: of data, weights, order and draws alike, in the library and on the command line. */
export const USUAL_SEED = 1;

/** A sequential reader of one Philox stream, for things drawn in order: initial weights, shuffles, generated data. */
export interface RandomStream {
  /** A uniform number in (0, 1). */
  uniform(): number;
  /** A standard normal number. */
  normal(): number;
  /** A whole number in [0, bound). */
  integer(bound: number): number;
  /** Shuffles in place (Fisher and Yates). */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
}

/**
 * The stream of a seed and a path of whole numbers: the same arguments give the same numbers on every machine.
 * @param seed a whole number in [0, 2⁵³)
 * @param path up to three 32-bit numbers that name the stream
 */
export function randomStream(seed: number, ...path: number[]): RandomStream {
  const out = new Uint32Array(4);
  const [key0, key1] = seedToKey(seed);
  let position = 0;
  const word = (): number => {
    if ((position & 3) === 0) philox([position >>> 2, path[0] ?? 0, path[1] ?? 0, path[2] ?? 0], key0, key1, out);
    return out[position++ & 3];
  };
  const uniform = (): number => wordToUniform(word());
  const integer = (bound: number): number => Math.floor((word() / 0x100000000) * bound);
  return {
    uniform,
    normal: () => normalQuantile(uniform()),
    integer,
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [items[i], items[j]] = [items[j], items[i]];
      }
      return items;
    },
  };
}

/** Bits of a key's upper word, over the 21 that a seed has. */
const NOISE = { units: 0x80000000, weights: 0xc0000000 } as const;

/**
 * The Philox key of noise, which is drawn in place by (step, row, stream): `units` of neurons, dropout, probes and bits of pictures, `weights` of
 * noise on weights. No `randomStream` of any seed and path has a counter of noise under the same key.
 * @throws RangeError for a seed that is no whole number in [0, 2⁵³)
 */
export function noiseKey(seed: number, of: keyof typeof NOISE = 'units'): [number, number] {
  const [key0, key1] = seedToKey(seed);
  return [key0, key1 | NOISE[of]];
}

/** Splits a seed in [0, 2⁵³) into the two words of a Philox key. */
function seedToKey(seed: number): [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`The seed is ${seed}. Expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`);
  return [(seed % 0x100000000) | 0, Math.floor(seed / 0x100000000) | 0];
}
