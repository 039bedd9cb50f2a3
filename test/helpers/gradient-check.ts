import type { Engine } from '../../src/backend/engine.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import { multiply } from '../../src/tensor/ops/arithmetic.ts';
import type { Plate } from '../../src/tensor/plate.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { reference } from './engines.ts';
import { assertClose, type Draw, drawn, normal } from './numbers.ts';

/** One input: the extents of its array, with those of the rows first where it has a plate. */
export interface OpInput<P> {
  readonly shape: readonly number[];
  /** What the first extent stands for; none: all rows share the array. */
  plate?(tape: Tape, prepared: P): Plate;
  readonly draw?: Draw;
}

/** One use of an operation: what goes in, and how. */
export interface OpCall<P = unknown> {
  /** What the use needs besides, on the heap of the step. */
  prepare?(tape: Tape): P;
  readonly inputs: readonly OpInput<P>[];
  apply(inputs: readonly Tensor[], prepared: P): Tensor;
  /** Rows of examples that have a loss each, for neurons that read it. */
  readonly lossRows?: number;
}

/** What an operation gave: its output, and the gradient of Σ weights ⊙ output (random weights) at every input. */
export interface OpResult {
  readonly output: number[];
  /** Undefined where nothing came back. */
  readonly gradients: readonly (number[] | undefined)[];
  readonly prepared: unknown;
}

const WEIGHTS = 100;
const LOSS = 101;

/** The examples of a step: the plate of most inputs. */
export const examples =
  (rows: number) =>
  (tape: Tape): Plate =>
    tape.plates.examples(rows);

/** The Float32 numbers that a call's inputs hold for this seed. */
export function inputValues(call: OpCall, seed: number): Float64Array[] {
  return call.inputs.map(({ shape, draw = normal() }, i) =>
    drawn(
      draw,
      shape.reduce((product, n) => product * n, 1),
      seed,
      i,
    ),
  );
}

/** The inputs and the output of a call on a new tape. @param shown what pullbacks see in place of the first input */
export function forward(engine: Engine, call: OpCall, values: readonly Float64Array[], before?: (tape: Tape) => void) {
  engine.beginStep();
  const tape = new Tape(engine);
  const prepared = call.prepare?.(tape);
  const arrays = call.inputs.map(({ shape }, i) => engine.tensor(values[i], shape));
  tape.watch(arrays);
  before?.(tape);
  const inputs = call.inputs.map(({ plate }, i) =>
    plate ? tape.input(arrays[i], plate(tape, prepared), true) : tape.parameter(arrays[i]),
  );
  return { tape, arrays, inputs, prepared, output: call.apply(inputs, prepared) };
}

/** A tensor times random weights, so that the cotangents of its elements differ. */
export function weighed(output: Tensor, seed: number, stream = WEIGHTS): Tensor {
  const { tape, array, plate } = output;
  return multiply(
    output,
    tape.input(tape.engine.tensor(drawn(normal(), array.size, seed, stream), array.shape), plate),
  );
}

/** Random losses of a call's examples. */
export function lossesOf(tape: Tape, { lossRows }: OpCall, seed: number, stream = LOSS): Tensor | undefined {
  if (lossRows === undefined) return undefined;
  const { counts } = tape.plates;
  const plate = tape.plates.at(tape.plates.examples(lossRows).structure, counts.length);
  return tape.input(tape.engine.tensor(drawn(normal(2), plate.rows, seed, stream), [plate.rows]), plate);
}

const numbersOf = (array: NdArray | undefined): number[] | undefined => array && [...array.values];

/** Runs an operation forward and back on a tape. */
export function runOp(engine: Engine, call: OpCall, seed: number): OpResult {
  const { tape, inputs, output, prepared } = forward(engine, call, inputValues(call, seed));
  tape.backward([{ tensor: weighed(output, seed), cotangent: 1 }], lossesOf(tape, call, seed));
  return { output: [...output.values], gradients: inputs.map((input) => numbersOf(tape.gradient(input))), prepared };
}

/** Compares an operation's gradients with central differences in Float64, on the reference engine. */
export function checkGradient(name: string, call: OpCall, seed: number): void {
  const { gradients, output } = runOp(reference, call, seed);
  const weights = drawn(normal(), output.length, seed, WEIGHTS);
  const values = inputValues(call, seed);
  const lossAt = (): number => {
    const y = forward(reference, call, values).output.values;
    return weights.reduce((sum, weight, i) => sum + weight * y[i], 0);
  };
  values.forEach((input, i) => {
    const differences = Array.from(input, (x, at) => {
      const step = 1e-5 * Math.max(1, Math.abs(x));
      input[at] = x + step;
      const above = lossAt();
      input[at] = x - step;
      const below = lossAt();
      input[at] = x;
      return (above - below) / (2 * step);
    });
    assertClose(gradients[i] ?? [], differences, { relative: 1e-7, absolute: 1e-7 }, `gradient ${i} of ${name}`);
  });
}
