import {
  adam,
  affordable,
  dense,
  digitsSplit,
  type RaceEvent,
  resolveNeuron,
  type Split,
  suits,
  watchRace,
  zoo,
} from '../../../src/index.ts';
import { type RaceState, VALID } from '../race-state.ts';
import { makeEngine } from './make-engine.ts';
import type { AnswerOptions } from './serve.ts';

/** Neurons that ask for more evaluations of the loss than this are not offered. */
const MOST_EVALUATIONS = 130;
/** Of the widest net, the longest race and the largest sample that a tab is asked for. */
const LIMITS = { units: 512, budget: 100_000, points: 200, examples: 10_000, batch: 1000, seeds: 10 } as const;

let written: { readonly key: string; readonly data: Split } | undefined;

/** Digits of a seed; the last ones are kept, as the next race mostly wants them again. */
function digitsOf({ seed, examples }: RaceState): Split {
  const key = `${seed} ${examples}`;
  if (written?.key !== key) written = { key, data: digitsSplit({ seed, train: examples, valid: VALID, test: 1 }) };
  return written.data;
}

function check(state: RaceState): void {
  for (const [name, most] of Object.entries(LIMITS) as [keyof typeof LIMITS, number][]) {
    const value = state[name];
    if (!(value > 0 && value <= most) || (name !== 'budget' && !Number.isInteger(value)))
      throw new RangeError(
        `\`${name}\` is ${value}. Expected ${name === 'budget' ? 'a number over 0' : 'a whole number from 1'} up to ${most} in a tab.`,
      );
  }
  if (!(state.lr > 0)) throw new RangeError(`\`lr\` is ${state.lr}. Expected a number over 0.`);
  if (!['evaluations', 'seconds', 'steps'].includes(state.by))
    throw new RangeError(`\`by\` is "${state.by}". Expected evaluations, seconds or steps.`);
}

/** Answers of the pages "Race" and "Noise". */
export const raceAnswers = {
  /** Names of neurons that can be the hidden units of so wide a network, and what a step of each costs. */
  async runners(units: number) {
    return Object.keys(zoo).filter((name) => {
      const neuron = resolveNeuron(name);
      const fits = neuron.noise === 0 ? neuron.group === undefined : suits(neuron, 'hidden units');
      return fits && affordable(neuron, units, MOST_EVALUATIONS);
    });
  },

  async *race(state: RaceState, { signal }: AnswerOptions): AsyncGenerator<RaceEvent, void> {
    check(state);
    const { arms, by, budget, points, units, batch, lr, seed, seeds, sampled } = state;
    yield* watchRace({
      data: digitsOf(state),
      layersOf: (neuron) => [dense(units, neuron, 'hidden'), dense(10, 'linear', 'output')],
      makeEngine,
      makeOptimizer: () => adam({ learningRate: lr }),
      seeds: Array.from({ length: seeds }, (_, i) => seed + i),
      mode: sampled ? 'sample' : 'mean-field',
      signal,
      ...{ arms, by, budget, points, batch },
    });
  },
};
