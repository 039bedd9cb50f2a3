import type { RaceEvent, RacePoint, RaceStanding } from '../../src/index.ts';

/** One arm's line: means over the seeds that have come so far, and the least and greatest of them. */
export interface Curve {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low: number; readonly high: number }[];
}

/** What the pages plot: a number of a point, or undefined where there is none. */
export type Quantity = (point: RacePoint) => number | undefined;

/** Everything that has come of a race. */
export interface RaceSoFar {
  readonly points: readonly RacePoint[];
  readonly failures: readonly { readonly arm: string; readonly seed: number; readonly reason: string }[];
  readonly standings: readonly RaceStanding[];
}

export const NOTHING: RaceSoFar = { points: [], failures: [], standings: [] };

/** What has come, with more of it. */
export function withEvents(before: RaceSoFar, events: readonly RaceEvent[]): RaceSoFar {
  const points = events.filter((event): event is RacePoint => event.event === 'point');
  const failures = events.filter((event) => event.event === 'failure');
  const result = events.find((event) => event.event === 'result');
  return {
    points: [...before.points, ...points],
    failures: [...before.failures, ...failures],
    standings: result ? result.standings : before.standings,
  };
}

/** An arm's curve of a quantity; a point stands where all of its seeds have come, or those that still run. */
export function curveOf(points: readonly RacePoint[], arm: string, label: string, quantity: Quantity): Curve {
  const groups = Map.groupBy(
    points.filter((point) => point.arm === arm),
    ({ point }) => point,
  );
  const complete = Math.max(0, ...[...groups.values()].map(({ length }) => length));
  const lasting = [...groups].filter(([at, { length }]) => length === complete || groups.has(at + 1));
  return {
    label,
    points: lasting.flatMap(([, group]) => {
      const values = group.map(quantity).filter((value) => value !== undefined);
      if (values.length === 0) return [];
      const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
      return {
        x: mean(group.map(({ spent }) => spent)),
        y: mean(values),
        low: Math.min(...values),
        high: Math.max(...values),
      };
    }),
  };
}
