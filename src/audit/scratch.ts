import type { Numbers } from '../neurons/contract.ts';

const arenas = new Map<string, Numbers>();

/**
 * An array that one piece of work after another may use: of the length that is asked for, in memory that the next call with the same name takes
 * again. Layers of 300,000 numbers, made anew for each of thousands of places, are memory that is collected late. What it holds is left from
 * before.
 * @param name of the use; no two arrays that are in use together may have the same
 */
export function scratch<A extends Numbers>(name: string, length: number, Kind: new (length: number) => A): A {
  const key = `${name} ${Kind.name}`;
  const known = arenas.get(key) as A | undefined;
  const arena = known && known.length >= length ? known : new Kind(length);
  arenas.set(key, arena);
  return arena.subarray(0, length) as A;
}
