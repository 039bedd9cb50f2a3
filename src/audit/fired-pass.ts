import type { Neuron, NeuronState, Numbers, Pullback } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';
import { type DrawnPass, drawnPass } from './drawn-pass.ts';

/** First word of the path of the streams of passes: the word "pass" in ASCII. */
const PASS = 0x70617373;

/** The stream that logits, noise, losses and cotangents of a checked pass come from. */
export const passNumbers = (seed: number, ...path: readonly number[]): RandomStream =>
  randomStream(seed, PASS, ...path);
/** First word of the path of the streams of states: the word "sttl" in ASCII. */
const LIVED = 0x7374746c;

/** Most outputs (rows × units × draws) of a checked pass: 8 MB an array. */
export const MOST_NUMBERS = 1_000_000;

export type Arrays = Float64ArrayConstructor | Float32ArrayConstructor;

/** What a fired pass is drawn with. */
interface Inputs {
  readonly seed: number;
  /** The logit of a normal number; default: every other one is far from 0. */
  readonly logit?: (normal: number, i: number) => number;
  /** Default Float64. */
  readonly Kind?: Arrays;
}

const nearAndFar = (normal: number, i: number): number => (i % 2 === 0 ? 2 : 7) * normal;

/**
 * A pass whose inputs are drawn and whose `h` is fired; its gradient is still 0. Losses have a standard deviation of 3, cotangents of 1, and the state is `someState`.
 */
export function firedPass(
  neuron: Neuron,
  rows: number,
  units: number,
  { seed, logit = nearAndFar, Kind = Float64Array }: Inputs,
): DrawnPass<Numbers> {
  const random = passNumbers(seed);
  const inputs = { random, logit, losses: 3, state: someState(neuron, units, seed) };
  const pass = drawnPass<Numbers>(neuron, rows, units, inputs, Kind);
  neuron.fire(pass);
  return pass;
}

/** A state in [0.1, 1.1): at the starting state control variates may weigh nothing, and their faults would not be seen. */
export function someState(neuron: Neuron, units: number, seed: number): NeuronState {
  return Object.fromEntries(
    Object.entries(startingState(neuron, units)).map(([name, start], i) => {
      const random = randomStream(seed, LIVED, i);
      return [name, start.map(() => 0.1 + random.uniform())];
    }),
  );
}

/** The gradient of a pass; the array holds NaN before, so that a number that is not written shows. */
export function gradientOf(neuron: Neuron, pass: Pullback): Numbers {
  const gradient = pass.gradient.slice().fill(Number.NaN);
  neuron.pullback({ ...pass, gradient });
  return gradient;
}

export const sameBits = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]));

/** Units for a pass: `least`, or as many more as it takes until a rule that fixes how many units are open opens two; at most `mostUnits`. */
export function unitsOf({ opens, mostUnits = Number.POSITIVE_INFINITY }: Neuron, least: number): number {
  let units = Math.min(least, mostUnits);
  while (opens && opens(units) < 2 && units < mostUnits) units++;
  return units;
}
