import type { Neuron, NeuronState, Numbers, Pullback } from '../neurons/contract.ts';
import type { RandomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';

/** What the inputs of a pass are drawn with. */
export interface PassInputs {
  readonly random: RandomStream;
  /** The logit of a normal number; default: that number. */
  readonly logit?: (normal: number, i: number) => number;
  /** Standard deviation of the losses; default 1. Cotangents have 1. */
  readonly losses?: number;
  /** Default: what every unit starts with. */
  readonly state?: NeuronState;
}

/** A pass whose arrays are all of one kind. */
export interface DrawnPass<A extends Numbers> extends Pullback {
  readonly logits: A;
  readonly noise: A;
  readonly h: A;
  readonly loss: A;
  readonly dh: A;
  readonly gradient: A;
}

/** The arrays of a pass, its inputs drawn: logits, noise, losses, cotangents. Nothing has fired: h and the gradient are 0. */
export function drawnPass<A extends Numbers>(
  neuron: Neuron,
  rows: number,
  units: number,
  { random, logit = (normal) => normal, losses = 1, state = startingState(neuron, units) }: PassInputs,
  Kind: new (length: number) => A,
): DrawnPass<A> {
  const draws = drawsOf(neuron, units);
  const array = (length: number, draw: (i: number) => number): A => {
    const values = new Kind(length);
    for (let i = 0; i < length; i++) values[i] = draw(i);
    return values;
  };
  const size = rows * units;
  return {
    ...{ rows, units, state },
    logits: array(size, (i) => logit(random.normal(), i)),
    noise: array(size * neuron.noise, random.uniform),
    h: new Kind(draws * size),
    loss: array(draws * rows, () => losses * random.normal()),
    dh: array(draws * size, random.normal),
    gradient: new Kind(size),
  };
}
