import { randomStream } from '../../src/index.ts';

/** A figure with the bounds between which 95 in 100 resamples lie, and the share of them that is at most 1. */
export interface Bootstrapped {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly atMostOne: number;
}

const DRAWS = 2000;

/**
 * How far a figure of several runs may lie from what other seeds would give: it is computed again with the runs of each group drawn anew,
 * with replacement.
 * @param groups runs of a net each @param figure of the runs that were drawn
 * Source: Efron 1979.
 */
export function bootstrap<R>(
  groups: readonly (readonly R[])[],
  figure: (groups: readonly (readonly R[])[]) => number,
): Bootstrapped {
  const random = randomStream(1, 0x626f6f74);
  const figures = Array.from({ length: DRAWS }, () =>
    figure(groups.map((runs) => runs.map(() => runs[Math.floor(random.uniform() * runs.length)]))),
  ).toSorted((a, b) => a - b);
  const at = (share: number): number => figures[Math.min(DRAWS - 1, Math.floor(share * DRAWS))];
  return {
    value: figure(groups),
    low: at(0.025),
    high: at(0.975),
    atMostOne: figures.filter((x) => x <= 1).length / DRAWS,
  };
}

/** p values corrected for how many there are: Holm 1979. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).toSorted((a, b) => values[a] - values[b]);
  const corrected = new Array<number>(values.length);
  let least = 0;
  for (const [rank, i] of order.entries()) {
    least = Math.max(least, Math.min(1, values[i] * (values.length - rank)));
    corrected[i] = least;
  }
  return corrected;
}
