import type { Neuron } from '../neurons/contract.ts';
import { startingState } from '../tensor/starting-state.ts';

/**
 * Where an estimator stands between two estimates: a plain value, never changed. Pass the one that an estimate returns on to the next.
 */
export interface EstimatorState {
  /** Estimates made so far: the counter of the noise, so that every estimate draws anew. */
  readonly step: number;
  /** The neuron's moving averages and the like, by name; empty for neurons that keep none. */
  readonly averages: Readonly<Record<string, Float64Array>>;
}

/** Steps are a 32-bit word of the counter of the noise. */
const MOST_STEPS = 2 ** 32;

/**
 * A copy of a state, or what an estimator starts with.
 * @throws RangeError for a state of another neuron or another number of units, or one that holds a number that is not finite
 */
export function copyState(neuron: Neuron, units: number, given: EstimatorState | undefined): EstimatorState {
  const starts = startingState(neuron, units);
  if (!given) return { step: 0, averages: starts };
  const { step, averages } = given;
  if (!Number.isInteger(step) || step < 0 || step >= MOST_STEPS)
    throw new RangeError(`The step of the state is ${step}. Expected a whole number from 0 to ${MOST_STEPS - 1}.`);
  const [wanted, found] = [starts, averages].map(shapesOf);
  if (wanted !== found)
    throw new RangeError(
      `The state holds ${found}, and "${neuron.name}" keeps ${wanted} for ${units} units. Expected a state that an estimate of the same neuron and units has returned.`,
    );
  for (const [name, values] of Object.entries(averages)) {
    const broken = values.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0)
      throw new RangeError(
        `Number ${broken} of "${name}" in the state is ${values[broken]}. Expected a finite number.`,
      );
  }
  return {
    step,
    averages: Object.fromEntries(Object.keys(starts).map((name) => [name, Float64Array.from(averages[name])])),
  };
}

const shapesOf = (averages: Readonly<Record<string, ArrayLike<number>>>): string =>
  Object.entries(averages)
    .map(([name, { length }]) => `${length} of "${name}"`)
    .sort()
    .join(' and ') || 'nothing';
