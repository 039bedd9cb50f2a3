import type { RacePoint } from './watch-race.ts';

/** Where an arm of a race stood: the mean over its seeds, and the least and the greatest of them. */
export interface RaceCurvePoint {
  /** Mean of what had been spent. */
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/**
 * An arm's curve of a quantity over what was spent, from the points of a race that have come so far. A point of the curve stands where all
 * of the arm's seeds have come, or those that still run; where the quantity is undefined there is none.
 */
export function raceCurve(
  points: readonly RacePoint[],
  arm: string,
  quantity: (point: RacePoint) => number | undefined,
): RaceCurvePoint[] {
  const groups = Map.groupBy(
    points.filter((point) => point.arm === arm),
    ({ point }) => point,
  );
  const complete = Math.max(0, ...[...groups.values()].map(({ length }) => length));
  const lasting = [...groups].filter(([at, { length }]) => length === complete || groups.has(at + 1));
  return lasting.flatMap(([, group]) => {
    const values = group.map(quantity).filter((value) => value !== undefined);
    if (values.length === 0) return [];
    const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    return {
      x: mean(group.map(({ spent }) => spent)),
      y: mean(values),
      low: Math.min(...values),
      high: Math.max(...values),
    };
  });
}
