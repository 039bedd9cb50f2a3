import type { Engine } from '../../src/backend/engine.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import { checkGradient as check } from '../../src/tensor/check-gradient.ts';
import { defineOp } from '../../src/tensor/define-op.ts';
import { multiply } from '../../src/tensor/ops/arithmetic.ts';
import { sum } from '../../src/tensor/ops/reductions.ts';
import { reshape } from '../../src/tensor/ops/reshaping.ts';
import type { Plate } from '../../src/tensor/plate.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { type Draw, drawn, normal } from './numbers.ts';

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

/** An array that all rows share, put on a plate whose rows its first extent has. */
const placed = defineOp<{ readonly plate: Plate }>({
  name: 'placed',
  plates: (_inputs, { plate }) => ({ inputs: [undefined], output: plate }),
  forward: (_engine, [x]) => ({ output: x }),
  pullback: (_engine, _record, dy) => [dy],
});

/** Compares an operation's gradients with central differences in Float64, on the reference engine. */
export function checkGradient(call: OpCall, seed: number): void {
  const apply = (...elements: Tensor[]): Tensor => {
    const { tape } = elements[0];
    const prepared = call.prepare?.(tape);
    const inputs = call.inputs.map(({ shape, plate }, i) => {
      const x = reshape(elements[i], shape);
      return plate ? placed(x, { plate: plate(tape, prepared) }) : x;
    });
    const output = call.apply(inputs, prepared);
    // What was drawn has one loss a row.
    return tape.plates.counts.length > 0 ? sum(weighed(output, seed)) : output;
  };
  check(apply, inputValues(call, seed), { relative: 1e-7, absolute: 1e-7 });
}
