/** What a search trial finds of one setting. */
export interface Searched {
  readonly validError: number;
  readonly validLoss: number;
}

/**
 * The search with the lowest validation error, by the loss where errors are equal.
 * @throws RangeError when fewer than `wanted` have finished; `name` says whose they are
 */
export function bestSearch<R extends Searched>(name: string, wanted: number, found: readonly R[]): R {
  if (found.length < wanted)
    throw new RangeError(`"${name}" has ${found.length} of ${wanted} searches; those trials come first.`);
  const [best] = found.toSorted((a, b) => a.validError - b.validError || a.validLoss - b.validLoss);
  return best;
}
