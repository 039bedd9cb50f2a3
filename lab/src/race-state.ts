import { commandLine } from '../../cli/command-line.ts';
import type { RaceMeasure } from '../../src/index.ts';
import { neuronsIn } from './neuron-text.ts';
import { choice, numberIn, type Settings, wholeNumber, words } from './url-state.ts';

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

/** Of the page "Race". */
export const RACE_PAGE = {
  arms: words('straight-through,stochastic-binary,rloo,disarm'),
  by: choice('evaluations', ['evaluations', 'seconds', 'steps']),
  measured: choice('noise off', ['noise off', 'noise on']),
  ...RACE_FIELDS,
};
/** Of the page "Noise". */
export const NOISE_PAGE = {
  K: wholeNumber(8, 1, 32),
  m: wholeNumber(8, 1, 64),
  gaussian: choice('yes', ['yes', 'no']),
  unbiased: words('disarm'),
  ...RACE_FIELDS,
  budget: { ...RACE_FIELDS.budget, usual: 400 },
  examples: { ...RACE_FIELDS.examples, usual: 500 },
};

export function raceOf(settings: Settings<typeof RACE_PAGE>): RaceState {
  const { arms, measured, by, budget, points, units, examples, batch, lr, seed, seeds } = settings;
  return {
    ...{ arms: neuronsIn(arms), by: by as RaceMeasure, budget, points, units, examples, batch, lr, seed, seeds },
    sampled: measured !== 'noise off',
  };
}

const PLAIN = 'sigmoid';
/** Hinton’s binary stochastic units: a coin forwards, the logistic backwards. */
const COIN = 'straight-through-derivative';

/** An arm and what the page "Noise" calls it. A choice may ask for what another one is: each arm is there once. */
export function noiseArms({ K, m, gaussian, unbiased }: Settings<typeof NOISE_PAGE>): { arm: string; name: string }[] {
  return [
    { arm: PLAIN, name: 'no noise: h = p' },
    { arm: COIN, name: 'coins: h ~ Bernoulli(p)' },
    ...(K === 1 ? [] : [{ arm: `${COIN}*${K}`, name: `coins, mean gradient of ${K} passes` }]),
    ...(m === 1 ? [] : [{ arm: `binomial:m=${m}`, name: `h ~ Binomial(${m}, p)/${m}` }]),
    ...(gaussian === 'yes'
      ? [{ arm: 'gaussian-matched:m=1,gradient=straight-through', name: 'Gaussian noise with a coin’s variance' }]
      : []),
    ...(unbiased === 'none' ? [] : [{ arm: unbiased, name: `coins, unbiased gradient: ${unbiased}` }]),
  ].filter(({ arm }, i, all) => all.findIndex((other) => other.arm === arm) === i);
}

export function noiseOf(settings: Settings<typeof NOISE_PAGE>): RaceState {
  const { budget, points, units, examples, batch, lr, seed, seeds } = settings;
  const arms = noiseArms(settings).map(({ arm }) => arm);
  return { arms, by: 'steps', budget, points, units, examples, batch, lr, seed, seeds, sampled: false };
}

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
