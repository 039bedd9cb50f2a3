import type { RaceMeasure } from '../../src/index.ts';

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

/** Validation examples. */
export const VALID = 500;

/** Arms separated by commas; neurons' options have commas too. */
export const armsOf = (text: string): string[] => text.split(/,(?![^,:]+=)/).filter((arm) => arm !== '');

/** The command line that runs the same race. */
export const raceCommand = (state: RaceState): string =>
  [
    `flipgrad race --neuron '${state.arms.join(',')}'`,
    `--by ${state.by} --budget ${state.budget} --points ${state.points} --units ${state.units}`,
    `--examples ${state.examples} --valid ${VALID} --batch ${state.batch} --lr ${state.lr}`,
    `--seed ${state.seed} --seeds ${state.seeds}${state.sampled ? ' --sampled' : ''} --plot race.svg`,
  ].join(' ');
