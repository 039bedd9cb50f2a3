import type { EngineTimes } from '../kit/compare-times.ts';
import type { Outcome } from '../kit/experiment.ts';
import { endsOf, isOver } from '../kit/outcome.ts';
import { geometric, type Interval, interval, verdict } from '../kit/statistics.ts';
import { difference, level, type Part, type Runs, times, validError, workAtTest } from './net-runs.ts';
import { multiplyAddsOf, type Net, nameOfNet } from './nets.ts';

export type Way = 'one' | 'hundred' | 'step';

export const WAYS: Readonly<Record<Way, string>> = {
  one: 'one example at a time',
  hundred: '100 examples at a time',
  step: 'training, a step',
};

/** The cheapest dense net whose mean validation error is no higher; else the best one, which `reached` tells. */
export function sameError(gated: Runs, dense: readonly Runs[]): { readonly dense: Runs; readonly reached: boolean } {
  const limit = level(gated, validError).mean;
  const byWork = dense.toSorted((a, b) => multiplyAddsOf(a.net, 784) - multiplyAddsOf(b.net, 784));
  const cheapest = byWork.find((own) => level(own, validError).mean <= limit);
  const [best] = byWork.toSorted((a, b) => level(a, validError).mean - level(b, validError).mean);
  return cheapest ? { dense: cheapest, reached: true } : { dense: best, reached: false };
}

/** The dense net whose multiply-adds are nearest to what the gated net executes, on a logarithmic scale. */
export function sameCost(gated: Runs, dense: readonly Runs[]): Runs {
  const work = Math.log(level(gated, workAtTest).mean);
  const distance = ({ net }: Runs): number => Math.abs(Math.log(multiplyAddsOf(net, 784)) - work);
  return dense.toSorted((a, b) => distance(a) - distance(b))[0];
}

/** How many times the gated net's time a dense net takes: the geometric mean over seeds, as a logarithm. */
export function speedUp(gated: Runs, dense: Net, engine: string, way: Way): Interval {
  const at = gated.against.findIndex((own) => nameOfNet(own) === nameOfNet(dense));
  return interval(
    gated.runs.flatMap(({ times: all = [] }) => {
      const own = all.find((candidate) => candidate.engine === engine);
      return own && at >= 0 ? [Math.log(own[way].times[at])] : [];
    }),
  );
}

export const enginesOf = (nets: readonly Runs[]): string[] => [
  ...new Set(
    nets.flatMap(({ runs }) => runs.flatMap((run) => (run.times ?? []).map(({ engine }: EngineTimes) => engine))),
  ),
];

/** A gated net beside the dense net of its error, and how many times faster it is. */
export interface Candidate {
  readonly net: Runs;
  readonly dense: Runs;
  readonly reached: boolean;
  /** A logarithm. */
  readonly factor: Interval;
}

/** The fastest first. */
export const candidatesOf = ({ gated, dense }: Part, engine: string, way: Way): Candidate[] =>
  gated
    .map((net) => ({ net, ...sameError(net, dense) }))
    .map((own) => ({ ...own, factor: speedUp(own.net, own.dense.net, engine, way) }))
    .filter(({ factor }) => factor.count > 0)
    .toSorted((a, b) => b.factor.mean - a.factor.mean);

/** Is it faster than the aim, at an error that the test does not show to be higher? */
export function fasterAlike({ net, dense, factor }: Candidate, aim: number): Outcome {
  const outcome = isOver(endsOf(factor), Math.log(aim));
  const worse = verdict(difference(net, dense)) === 'worse';
  return outcome === 'holds' && worse ? 'not shown' : outcome;
}

/** A factor with its interval, of logarithms. */
export const inTimes = (own: Interval): string => geometric(own, times);

export const inWords = ({ net, dense, reached, factor }: Candidate): string =>
  `${net.name}, ${inTimes(factor)} times as fast as ${dense.name}${reached ? '' : ' (no dense net of the grid is as good on validation; this is the best)'}`;

/** The dense net whose time is nearest to the gated net's, one example at a time. */
export function sameTime(gated: Runs, dense: readonly Runs[], engine: string): Runs {
  const distance = ({ net }: Runs): number => Math.abs(speedUp(gated, net, engine, 'one').mean);
  return dense.toSorted((a, b) => distance(a) - distance(b))[0];
}
