import { type Compared, type Interval, interval, paired } from '../kit/statistics.ts';
import { type Net, nameOfNet } from './nets.ts';
import type { SpeedDone, SpeedResult } from './trial.ts';

type Final = NonNullable<SpeedResult['final']>;

interface Run extends Final {
  readonly seed: number;
  readonly validError: number;
  readonly learningRate: number;
}

/** A net with its finished runs. */
export interface Runs {
  readonly name: string;
  readonly net: Net;
  readonly against: readonly Net[];
  readonly runs: readonly Run[];
}

export const percentPoints = (x: number): string => (100 * x).toFixed(2);
export const times = (x: number): string => x.toFixed(2);
export const thousands = (x: number): string => (x / 1000).toFixed(0);

function runsOf(finished: readonly SpeedDone[]): Runs[] {
  const finals = finished.filter(({ trial }) => trial.stage === 'final');
  return [...Map.groupBy(finals, ({ trial }) => nameOfNet(trial.net))].map(([name, own]) => ({
    name,
    net: own[0].trial.net,
    against: own[0].trial.against,
    runs: own.flatMap(({ trial, result: { final, validError, learningRate } }) =>
      final ? [{ ...final, validError, learningRate, seed: trial.seed }] : [],
    ),
  }));
}

export const level = ({ runs }: Runs, of: (run: Run) => number): Interval => interval(runs.map(of));
export const testError = ({ testError: error }: Run): number => error;
export const validError = ({ validError: error }: Run): number => error;
export const workAtTest = ({ multiplyAdds }: Run): number => multiplyAdds.test;

/**
 * Test errors of a less those of b, seed by seed, each pair by its own variance: a net that trains badly deviates fifty times as much as a
 * dense one.
 */
export function difference(a: Runs, b: Runs): Compared {
  const pairs = a.runs.flatMap((x) => b.runs.filter(({ seed }) => seed === x.seed).map((y) => [x, y] as const));
  return paired(
    pairs.map(([x]) => x.testError),
    pairs.map(([, y]) => y.testError),
  );
}

/** All nets, and their kinds. */
export interface Part {
  /** Are the data those of published figures? */
  readonly onMnist: boolean;
  readonly nets: readonly Runs[];
  readonly gated: readonly Runs[];
  readonly dense: readonly Runs[];
}

export function partOf(finished: readonly SpeedDone[]): Part {
  const nets = runsOf(finished);
  return {
    onMnist: finished.every(({ trial }) => trial.data === 'mnist'),
    nets,
    gated: nets.filter(({ net }) => net.gates),
    dense: nets.filter(({ net }) => !net.gates),
  };
}
