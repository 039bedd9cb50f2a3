import { checkEngine, type Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Neuron } from '../neurons/contract.ts';
import { type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import { noiseKey } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { allocateState } from './fire.ts';
import type { Numbers } from './numbers.ts';
import { fireTensor } from './ops/fire.ts';
import { Tape } from './tape.ts';
import type { Tensor } from './tensor.ts';
import { told } from './told.ts';

/** What a function is of: numbers, nested as deep as they have dimensions, under names or in order. */
export type Values = Readonly<Record<string, Numbers | number>> | readonly (Numbers | number)[];
/** The same as tensors that all rows share. */
export type TensorsOf<V> = { readonly [K in keyof V]: Tensor };
/** Gradients in the shapes of the values, row-major. */
export type GradientsOf<V> = { -readonly [K in keyof V]: Float32Array };

/** Options of `valueAndGradient`. */
export interface GradientOptions {
  /** Of the random numbers of neurons; default 1. */
  readonly seed?: number;
  /** Another step draws other random numbers; default 0. */
  readonly step?: number;
  /** Moving averages and the like of neurons that keep any, from call to call; default: each call starts anew. */
  readonly states?: FiringStates;
}

const NAMES: NamesOf<GradientOptions> = { seed: true, step: true, states: true };

/** What neurons in functions keep from call to call: moving averages, learned control variates. */
export class FiringStates {
  private readonly states = new Map<string, NdArray | undefined>();

  /** The state of the neuron that fires at a place of the function. @throws RangeError when another one fired there before */
  of(engine: Engine, place: number, neuron: Neuron, units: number): NdArray | undefined {
    const key = `${place} ${neuron.name} ${units}`;
    if (!this.states.has(key)) this.states.set(key, allocateState(engine, neuron, units));
    return this.states.get(key);
  }
}

/** What a function of tensors may use besides: firing, with random numbers that the seed and the step say. */
interface Firings {
  readonly key: readonly [number, number];
  readonly step: number;
  readonly states: FiringStates;
  places: number;
}

/** The firings of functions under way, by tape. */
const firings = new WeakMap<Tape, Firings>();

/**
 * Fires a neuron inside a function of tensors: logits of shape [..., units] → h of the same shape. Its learning rule is its gradient.
 * A neuron with several draws repeats what stands above it for each; the function stays as it is.
 * @param spec a neuron, its name, or its name with options: see `resolveNeuron`
 * @throws RangeError outside of `gradient` and `valueAndGradient`, and for a neuron that cannot stand there
 */
export function fire(spec: NeuronSpec, logits: Tensor): Tensor {
  const { tape, shape } = logits;
  const neuron = resolveNeuron(spec);
  const own = firings.get(tape);
  if (!own)
    throw new RangeError(
      `fire: "${neuron.name}" fires outside of a function under \`gradient\`. Expected a call of \`gradient\` or \`valueAndGradient\`, or a scope's \`fire\`.`,
    );
  const place = own.places++;
  const state = own.states.of(tape.engine, place, neuron, shape[shape.length - 1] ?? 1);
  const source = { key: own.key, step: own.step, layer: place, draw: 0 };
  return fireTensor(logits, { neuron, mode: 'train', source, state });
}

/**
 * The value of a function of tensors, and its gradient at every value. The function gives one number, or one number an example
 * (after `asExamples`): then the value is their mean. Neurons may fire anywhere in it; the gradient is then what their learning rules say,
 * and the value that of one sample, or what the draws come to.
 * @param engine where it is computed; the call starts a step of it
 * @throws RangeError when the function gives something else, and what its operations throw
 */
export function valueAndGradient<V extends Values>(
  engine: Engine,
  f: (values: TensorsOf<V>) => Tensor,
  values: V,
  options: GradientOptions = {},
): { readonly value: number; readonly gradient: GradientsOf<V> } {
  checkEngine('valueAndGradient', engine);
  if (typeof f !== 'function')
    throw new RangeError(`valueAndGradient: the function is ${told(f)}. Expected one of tensors that gives a tensor.`);
  engine.beginStep();
  const tape = new Tape(engine);
  const { loss, tensors } = applied(tape, f, values, options);
  const { value, rows } = evaluateLoss(tape, loss);
  tape.backward([{ tensor: loss, cotangent: 1 }], loss.plate && loss);
  // The tape's gradients are of the sum over the examples.
  const gradientOf = (tensor: Tensor): Float32Array =>
    Float32Array.from(tape.gradient(tensor)?.values ?? new Float32Array(tensor.size), (x) => x / rows);
  return {
    value,
    gradient: alike(
      values,
      tensors.map(([name, tensor]) => [name, gradientOf(tensor)] as const),
    ),
  };
}

/** Pairs as the values are: under names or in order. */
const alike = <T>(values: Values, pairs: (readonly [string, T])[]) =>
  (Array.isArray(values) ? pairs.map(([, value]) => value) : Object.fromEntries(pairs)) as never;

/** Calls a function on a tape, with its values as tensors that gradients go to. */
export function applied<V extends Values>(
  tape: Tape,
  f: (values: TensorsOf<V>) => Tensor,
  values: V,
  options: GradientOptions = {},
): { readonly loss: Tensor; readonly tensors: (readonly [string, Tensor])[] } {
  checkNames('valueAndGradient', options, NAMES);
  const { seed = 1, step = 0, states = new FiringStates() } = options;
  if (!(Number.isSafeInteger(step) && step >= 0))
    throw new RangeError(`valueAndGradient: \`step\` is ${told(step)}. Expected a whole number from 0 up.`);
  if (!(states instanceof FiringStates))
    throw new RangeError(
      `valueAndGradient: \`states\` is ${told(states)}. Expected a \`new FiringStates()\` that calls share.`,
    );
  firings.set(tape, { key: noiseKey(seed), step, states, places: 0 });
  const tensors = Object.entries(values as Readonly<Record<string, Numbers | number>>).map(
    ([name, numbers]) => [name, tape.input(tape.constant(numbers).array, undefined, true)] as const,
  );
  return { loss: f(alike(values, tensors.slice())), tensors };
}

/** The gradient alone; see `valueAndGradient`. */
export const gradient = <V extends Values>(
  engine: Engine,
  f: (values: TensorsOf<V>) => Tensor,
  values: V,
  options: GradientOptions = {},
): GradientsOf<V> => valueAndGradient(engine, f, values, options).gradient;

/** @throws RangeError when it is neither one number nor one an example, or no tensor of this tape */
export function evaluateLoss(tape: Tape, loss: Tensor): { value: number; rows: number } {
  tape.checkResult('The function', loss);
  if (!loss.plate) {
    if (loss.size !== 1)
      throw new RangeError(
        `The function gives a tensor of the shape [${loss.shape.join(', ')}]. Expected one number, or one number an example.`,
      );
    return { value: loss.values[0], rows: 1 };
  }
  const total = tape.weigh(loss).values;
  let sum = 0;
  for (let i = 0; i < total.length; i++) sum += total[i];
  return { value: sum / total.length, rows: total.length };
}
