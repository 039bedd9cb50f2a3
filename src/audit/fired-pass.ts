import type { Neuron, NeuronState, Numbers, Pullback } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';
import { type DrawnPass, drawnPass } from './drawn-pass.ts';

/** First words of the paths of the streams of firings and of states: the words "pass" and "sttl" in ASCII. */
const PASS = 0x70617373;

/** Numbers for passes that are checked. */
export const passNumbers = (seed: number, ...path: readonly number[]): RandomStream =>
  randomStream(seed, PASS, ...path);
const LIVED = 0x7374746c;

/** Numbers of the outputs of a pass, at most. */
export const MOST_NUMBERS = 1_000_000;

export type Arrays = Float64ArrayConstructor | Float32ArrayConstructor;

interface Inputs {
  readonly seed: number;
  /** The logit of a normal number; default: every other one is far from 0. */
  readonly logit?: (normal: number, i: number) => number;
  /** Default Float64. */
  readonly Kind?: Arrays;
}

const nearAndFar = (normal: number, i: number): number => (i % 2 === 0 ? 2 : 7) * normal;

/** A layer that has fired, with losses and cotangents drawn; nothing is pulled back yet. */
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

/** Some state other than the one it starts with, where control variates may weigh nothing. */
export function someState(neuron: Neuron, units: number, seed: number): NeuronState {
  return Object.fromEntries(
    Object.entries(startingState(neuron, units)).map(([name, start], i) => {
      const random = randomStream(seed, LIVED, i);
      return [name, start.map(() => 0.1 + random.uniform())];
    }),
  );
}

/** Its array is unset before. */
export function gradientOf(neuron: Neuron, pass: Pullback): Numbers {
  const gradient = pass.gradient.slice().fill(Number.NaN);
  neuron.pullback({ ...pass, gradient });
  return gradient;
}

export const sameBits = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]));

/** So many units, or more, so that two are open where a rule fixes how many are; at most as many as a layer may have. */
export function unitsOf({ opens, mostUnits = Number.POSITIVE_INFINITY }: Neuron, least: number): number {
  let units = Math.min(least, mostUnits);
  while (opens && opens(units) < 2 && units < mostUnits) units++;
  return units;
}
