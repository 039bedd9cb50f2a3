import { randomStream } from '../../src/index.ts';

/** A figure with the bounds between which 95 in 100 resamples lie. All are NaN where it cannot be computed. */
export interface Bootstrapped {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Share of resamples at or under the bound, the figure counted as one more of them: 1/2,001 at least. */
  readonly p: number;
}

const DRAWS = 2000;

/**
 * How far a figure of several runs may lie from what other seeds would give: it is computed again with the runs of each group drawn anew,
 * with replacement.
 * @param groups runs of a net each @param figure of the runs that were drawn @param bound that the figure is hoped to be over
 * Source: Efron 1979; of p: Davison and Hinkley 1997, §4.2.
 */
export function bootstrap<R>(
  groups: readonly (readonly R[])[],
  figure: (groups: readonly (readonly R[])[]) => number,
  bound: number,
): Bootstrapped {
  const random = randomStream(1, 0x626f6f74);
  const figures = Array.from({ length: DRAWS }, () =>
    figure(groups.map((runs) => runs.map(() => runs[Math.floor(random.uniform() * runs.length)]))),
  ).toSorted((a, b) => a - b);
  if (figures.some(Number.isNaN)) return { value: Number.NaN, low: Number.NaN, high: Number.NaN, p: Number.NaN };
  const at = (share: number): number => figures[Math.min(DRAWS - 1, Math.floor(share * DRAWS))];
  return {
    value: figure(groups),
    low: at(0.025),
    high: at(0.975),
    p: (figures.filter((x) => x <= bound).length + 1) / (DRAWS + 1),
  };
}

/** p values corrected for how many there are; NaN stays NaN, and is not counted. Source: Holm 1979. */
export function holm(values: readonly number[]): number[] {
  const tested = values.map((_, i) => i).filter((i) => !Number.isNaN(values[i]));
  const corrected = values.map(() => Number.NaN);
  let least = 0;
  for (const [rank, i] of tested.toSorted((a, b) => values[a] - values[b]).entries()) {
    least = Math.max(least, Math.min(1, values[i] * (tested.length - rank)));
    corrected[i] = least;
  }
  return corrected;
}
