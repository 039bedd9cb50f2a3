import type { Numbers } from '../neurons/contract.ts';

/** FNV-1a's offset basis and prime, for words of 32 bits. */
const [BASIS, PRIME] = [0x811c9dc5, 0x01000193];

/**
 * A word of 32 bits that tells arrays apart: FNV-1a over the words of their numbers, with a shift that mixes high bits into low ones. Equal
 * bits give equal words, −0 and 0 differ.
 * @param before the digest of what comes before; default: nothing does
 */
export function digest(values: Numbers, before = 0): number {
  let hash = before ^ BASIS;
  for (const word of new Uint32Array(values.slice().buffer)) {
    hash = Math.imul(hash ^ word, PRIME);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
