import type { RaceCurvePoint, RaceEvent, RacePoint, RaceStanding } from '../../src/index.ts';

/** One arm's line, with its name. */
export interface Curve {
  readonly label: string;
  readonly points: readonly RaceCurvePoint[];
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
