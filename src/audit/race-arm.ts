import type { NeuronDefinition } from '../neurons/contract.ts';
import { resolveNeuron } from '../neurons/resolve.ts';

/** Who runs in a race: a neuron, and over how many passes with noise of their own each gradient is averaged. */
export interface RaceArm {
  /** How it was asked for. */
  readonly text: string;
  readonly neuron: string;
  readonly passes: number;
}

const MOST_PASSES = 64;

/** An arm from its text: `NEURON` or `NEURON*PASSES`, as `binomial:m=4*8`, of neurons of one's own too. @throws RangeError for an unknown neuron, or passes that are no number from 1 to 64 */
export function raceArm(text: string, own: readonly NeuronDefinition[] = []): RaceArm {
  const [neuron, times, ...rest] = text.split('*');
  const passes = times === undefined ? 1 : Number(times);
  if (rest.length > 0 || times === '' || !Number.isInteger(passes) || passes < 1 || passes > MOST_PASSES)
    throw new RangeError(
      `"${text}" asks for ${times === undefined ? 'no' : `"${[times, ...rest].join('*')}"`} passes. Expected a whole number from 1 to ${MOST_PASSES} after the star.`,
    );
  resolveNeuron(neuron, undefined, own);
  return { text, neuron, passes };
}
