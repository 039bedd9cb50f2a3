import { Engine } from '../backend/engine.ts';
import { createReferenceBackend } from '../backend/reference.ts';
import { randomStream } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { shapeText } from './define-op.ts';
import { flatNumbers, type Numbers, shapeOfNumbers } from './numbers.ts';
import { multiply } from './ops/arithmetic.ts';
import { sizeOf } from './shape.ts';
import { Tape } from './tape.ts';
import type { Tensor } from './tensor.ts';

type Fn = (...inputs: Tensor[]) => Tensor;

/** Options of `checkGradient`. */
export interface GradientCheckOptions {
  /** Half of the distance between the two points of a difference, for elements up to 1; larger ones have a larger step in proportion. Default 1e-5. */
  readonly step?: number;
  /** Largest error as a share of the gradient. Default 1e-6. */
  readonly relative?: number;
  /** Largest error beside that. Default 1e-7. */
  readonly absolute?: number;
}

const NAMES: NamesOf<GradientCheckOptions> = { step: true, relative: true, absolute: true };

/** One derivative, found in two ways. */
export interface Derivative {
  /** Which argument of the function, and where in it. */
  readonly input: number;
  readonly index: readonly number[];
  /** By the pullbacks. */
  readonly gradient: number;
  /** By a central difference. */
  readonly difference: number;
}

/** Result of `checkGradient`. */
export interface GradientReport {
  /** Derivatives that were compared. */
  readonly count: number;
  /** The one with the largest error; undefined where there was none to compare. */
  readonly worst: Derivative | undefined;
}

/** Thrown when a gradient is not the derivative. */
export class GradientError extends Error {
  override name = 'GradientError';
  readonly derivative: Derivative;
  constructor(message: string, derivative: Derivative) {
    super(message);
    this.derivative = derivative;
  }
}

let reference: Engine | undefined;

/**
 * Compares the gradients of a function of tensors with central differences, element by element, in Float64 on the reference engine. An output of
 * several elements counts as their sum with random weights, the same in every call. A function with several draws gives one loss a row;
 * its value is what the losses of the draws come to.
 *
 *     checkGradient((x, w) => sum(square(matmul(x, w))), [[[1, 2]], [[3], [4]]])
 *
 * @param fn gives the same for the same arguments; its arguments are tensors that all rows share (`asExamples` gives them rows)
 * @param values one argument each: a number, or nested numbers
 * @throws GradientError that names the argument, the element and both numbers, for the worst one that differs by more than is allowed
 */
export function checkGradient(
  fn: Fn,
  values: readonly (Numbers | number)[],
  options: GradientCheckOptions = {},
): GradientReport {
  checkNames('checkGradient', options, NAMES);
  const { step = 1e-5, relative = 1e-6, absolute = 1e-7 } = options;
  reference ??= new Engine(createReferenceBackend());
  const engine = reference;
  const shapes = values.map(shapeOfNumbers);
  const flat = values.map((numbers) => Float64Array.from(flatNumbers(numbers)));
  const gradients = gradientsOf(engine, fn, flat, shapes);
  let count = 0;
  let worst: Derivative | undefined;
  let excess = Number.NEGATIVE_INFINITY;
  flat.forEach((elements, input) => {
    elements.forEach((x, i) => {
      const half = step * Math.max(1, Math.abs(x));
      const at = (value: number) => {
        elements[i] = value;
        return outputOf(engine, fn, flat, shapes);
      };
      const [above, below] = [at(x + half), at(x - half)];
      elements[i] = x;
      const difference = above.reduce((total, y, k) => total + (y - below[k]), 0) / (2 * half);
      const gradient = gradients[input]?.[i] ?? 0;
      const over = Math.abs(gradient - difference) - relative * Math.abs(difference) - absolute;
      count++;
      if (over <= excess) return;
      // NaN is the worst of all.
      excess = Number.isNaN(over) ? Number.POSITIVE_INFINITY : over;
      worst = { input, index: indexOf(i, shapes[input]), gradient, difference };
    });
  });
  if (worst && excess > 0)
    throw new GradientError(
      `checkGradient: at ${shapeText(worst.index)} of input ${worst.input} the gradient is ${worst.gradient}, and the central difference ${worst.difference}. Expected them to agree to ${relative} of it + ${absolute}.`,
      worst,
    );
  return { count, worst };
}

/** One pass: the output, as numbers whose sum is the function's value. */
function run(engine: Engine, fn: Fn, values: readonly Float64Array[], shapes: readonly number[][]) {
  engine.beginStep();
  const tape = new Tape(engine);
  const arrays = values.map((elements, i) => engine.tensor(elements, shapes[i]));
  tape.watch(arrays);
  const output = fn(...arrays.map((array) => tape.parameter(array)));
  tape.checkResult('The function', output);
  if (tape.plates.counts.length > 0) return { tape, arrays, total: tape.atDraws(output), losses: output };
  const weights = engine.tensor(drawnWeights(output.size), output.array.shape);
  return { tape, arrays, total: multiply(output, tape.input(weights, output.plate)), losses: undefined };
}

function drawnWeights(count: number): number[] {
  const random = randomStream(2013);
  return Array.from({ length: count }, () => random.normal());
}

function outputOf(...args: Parameters<typeof run>): Float64Array {
  const { tape, total, losses } = run(...args);
  return Float64Array.from((losses ? tape.weigh(losses) : total.array).values);
}

function gradientsOf(...args: Parameters<typeof run>): (Float64Array | undefined)[] {
  const { tape, arrays, total, losses } = run(...args);
  tape.backward([{ tensor: total, cotangent: 1 }], losses);
  return arrays.map((array) => {
    const gradient = tape.gradient(array);
    return gradient && Float64Array.from(gradient.values);
  });
}

/** The place of element i, axis by axis. */
const indexOf = (i: number, shape: readonly number[]): number[] =>
  shape.map((extent, d) => Math.floor(i / sizeOf(shape.slice(d + 1))) % extent);
