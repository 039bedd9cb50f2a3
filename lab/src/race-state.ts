import { commandLine } from '../../cli/command-line.ts';
import type { RaceMeasure } from '../../src/index.ts';
import { numberIn, wholeNumber } from './url-state.ts';

/** What a race in the tab is set to; one hidden layer on written digits. */
export interface RaceState {
  readonly arms: readonly string[];
  readonly by: RaceMeasure;
  readonly budget: number;
  readonly points: number;
  readonly units: number;
  readonly examples: number;
  readonly batch: number;
  readonly lr: number;
  /** Of the data, and the first of weights, order and draws. */
  readonly seed: number;
  readonly seeds: number;
  /** Are networks measured as they flip, not with the noise off? */
  readonly sampled: boolean;
}

/** The widest net, the longest race and the largest sample that a tab is asked for. */
export const RACE_FIELDS = {
  budget: numberIn(600, 1, 100_000),
  points: wholeNumber(20, 2, 200),
  units: wholeNumber(64, 1, 512),
  examples: wholeNumber(1000, 10, 10_000),
  batch: wholeNumber(50, 1, 1000),
  lr: numberIn(0.003, 0.00001, 1),
  seed: wholeNumber(1, 0, 1_000_000_000),
  seeds: wholeNumber(3, 1, 10),
};

/** Validation examples. */
export const VALID = 500;

/** The command line that runs the same race. */
export const raceCommand = (state: RaceState): string =>
  commandLine(
    'race',
    ...['--neuron', state.arms.join(',')],
    ...['--by', state.by, '--budget', `${state.budget}`, '--points', `${state.points}`, '--units', `${state.units}`],
    ...['--examples', `${state.examples}`, '--valid', `${VALID}`, '--batch', `${state.batch}`, '--lr', `${state.lr}`],
    ...['--seed', `${state.seed}`, '--seeds', `${state.seeds}`, ...(state.sampled ? ['--sampled'] : [])],
    ...['--plot', 'race.svg'],
  );
