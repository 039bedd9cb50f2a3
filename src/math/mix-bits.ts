/** A 32-bit word of the bits of numbers, Float32 or Float64 as they are, and of the word before. Source: FNV-1a over words, with a shift. */
export function mixBits(word: number, values: Float32Array | Float64Array): number {
  let hash = (word ^ 0x811c9dc5) >>> 0;
  for (const part of new Uint32Array(values.slice().buffer)) {
    hash = Math.imul(hash ^ part, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
