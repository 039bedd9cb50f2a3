/** When a gated layer computes open blocks alone, and when it does so by BLAS. */
export interface Crossover {
  /** Share of open (example, block) pairs up to which open blocks alone are faster than all blocks. */
  readonly upTo: number;
  /**
   * Examples of a block, on average over blocks, from which products of open blocks are faster by BLAS on gathered rows than by
   * the kernels; absent: never. It counts on engines with BLAS only.
   */
  readonly gatherFrom?: number;
}

/** By units of a block: the largest size not over a layer's counts. A number is short for `{ upTo }`. */
export type Crossovers = Readonly<Record<number, number | Crossover>>;

/**
 * Measured on a 2023 Xeon with `flipgrad bench --units 2048 --threads 1` (0.46, 0.82, 0.89, 0.83), less a margin for noise; `gatherFrom` on a 2024
 * EPYC (docs/decisions/2026-11-29-products-of-open-blocks-go-through-blas.md). `flipgrad bench --calibrate` measures both.
 */
export const CROSSOVERS: Crossovers = { 1: 0.4, 8: 0.7, 32: { upTo: 0.75, gatherFrom: 16 } };

/** The crossover of blocks of `size` units: that of the nearest smaller size that was measured, else of the smallest; 0 without any. */
export function crossoverAt(crossovers: Crossovers, size: number): Crossover {
  let found: number | Crossover = 0;
  let at = Number.POSITIVE_INFINITY;
  for (const key of Object.keys(crossovers)) {
    const known = Number(key);
    // The largest that is not over it, else the smallest.
    if (at > size ? known < at : known > at && known <= size) {
      at = known;
      found = crossovers[known];
    }
  }
  return typeof found === 'number' ? { upTo: found } : found;
}

/** Does a value read from a file hold crossovers? */
export function areCrossovers(value: unknown): value is Crossovers {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(([size, crossover]: [string, number | Crossover | null]) => {
    const { upTo, gatherFrom = 0 } = typeof crossover === 'number' ? { upTo: crossover } : (crossover ?? { upTo: -1 });
    return Number(size) >= 1 && upTo >= 0 && upTo <= 1 && gatherFrom >= 0;
  });
}
