import type { Engine } from '../../src/backend/engine.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import { type Attributes, type OpName, ops } from '../../src/tensor/ops.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { reference } from './engines.ts';
import { assertClose, type Draw, drawn, normal } from './numbers.ts';

/** One use of an operation: what goes in, and how. */
export interface OpCall<N extends OpName> {
  readonly inputs: readonly { readonly shape: readonly number[]; readonly draw?: Draw }[];
  attributes(engine: Engine): Attributes<N>;
  /** One loss a row, for neurons that read it. */
  readonly lossRows?: number;
}

/** What an operation gave: its output, and the gradient of Σ weights ⊙ output (random weights) at every input. */
export interface OpResult<N extends OpName> {
  readonly output: number[];
  /** Undefined where nothing came back. */
  readonly gradients: readonly (number[] | undefined)[];
  readonly attributes: Attributes<N>;
}

const WEIGHTS = 100;
const LOSS = 101;

/** The Float32 numbers that a call's inputs hold for this seed. */
export function inputValues<N extends OpName>(call: OpCall<N>, seed: number): Float64Array[] {
  return call.inputs.map(({ shape, draw = normal() }, i) =>
    drawn(
      draw,
      shape.reduce((product, n) => product * n, 1),
      seed,
      i,
    ),
  );
}

const place = (engine: Engine, call: OpCall<never>, values: readonly Float64Array[]): NdArray[] =>
  call.inputs.map(({ shape }, i) => engine.tensor(values[i], shape));

/** Runs an operation forward and back on a tape. */
export function runOp<N extends OpName>(engine: Engine, name: N, call: OpCall<N>, seed: number): OpResult<N> {
  engine.beginStep();
  const tape = new Tape(engine);
  const inputs = place(engine, call as OpCall<never>, inputValues(call, seed));
  tape.watch(inputs);
  const attributes = call.attributes(engine);
  const output = tape.apply(name, inputs, attributes);
  const weights = engine.tensor(drawn(normal(), output.size, seed, WEIGHTS), output.shape);
  const loss = tape.apply('multiply', [output, weights], {});
  const { lossRows } = call;
  tape.backward(
    [{ tensor: loss, cotangent: 1 }],
    lossRows === undefined ? undefined : engine.tensor(drawn(normal(2), lossRows, seed, LOSS)),
  );
  const gradients = inputs.map((input) => {
    const gradient = tape.gradient(input);
    return gradient && [...gradient.values];
  });
  return { output: [...output.values], gradients, attributes };
}

/** Compares an operation's gradients with central differences in Float64, on the reference engine. */
export function checkGradient<N extends OpName>(name: N, call: OpCall<N>, seed: number): void {
  const { gradients, output } = runOp(reference, name, call, seed);
  const weights = drawn(normal(), output.length, seed, WEIGHTS);
  const values = inputValues(call, seed);
  const lossAt = (): number => {
    reference.beginStep();
    const inputs = place(reference, call as OpCall<never>, values);
    const y = ops[name].forward(reference, inputs, call.attributes(reference) as never).output.values;
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
