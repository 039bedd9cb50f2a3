import type { Engine } from '../../src/backend/engine.ts';
import { catalogue, type KernelName } from '../../src/kernels/catalogue.ts';
import { guarded } from '../helpers/arena.ts';
import { reference } from '../helpers/engines.ts';
import { assertClose, drawn } from '../helpers/numbers.ts';
import type { Case } from './cases.ts';

type Scalars = Record<string, number>;
type Outputs = Record<string, Float32Array | Float64Array>;
/** Runs a kernel with its arguments, or what stands for it. */
type Run = (engine: Engine, name: KernelName, args: readonly number[]) => void;

const byKernel: Run = (engine, name, args) => engine.backend.run(name, ...(args as never));

/** Calls a kernel on drawn arrays; checks that it has changed nothing else; returns what it has written. */
export function execute(
  engine: Engine,
  name: KernelName,
  row: Case,
  scalars: Scalars,
  seed: number,
  { absolute = false, run = byKernel }: { absolute?: boolean; run?: Run } = {},
): Outputs {
  engine.beginStep();
  const arrays = Object.entries(row.arrays(scalars)).map(([parameter, array], i) => {
    const { length, draw = () => Number.NaN, integers } = array;
    const before = drawn(draw, length, seed, i).map((x) => (absolute ? Math.abs(x) : x));
    return { parameter, array, before, memory: guarded(engine, before, integers) };
  });
  const pointers = Object.fromEntries(arrays.map(({ parameter, memory }) => [parameter, memory.pointer]));
  const parameters: readonly string[] = catalogue[name].parameters;
  if (row.call) row.call(engine, pointers, scalars);
  else
    run(
      engine,
      name,
      parameters.map((p) => pointers[p] ?? scalars[p]),
    );
  const outputs: Outputs = {};
  for (const { parameter, array, before, memory } of arrays) {
    memory.checkSurroundings(`${name} ${parameter}`, array.written === true);
    if (array.written) outputs[parameter] = memory.read().slice();
    else if (!array.integers) assertClose(memory.read(), before, {}, `the input ${parameter} of ${name}`);
  }
  return outputs;
}

/** Fails unless these are what the definition gives. */
export function compare(
  actual: Outputs,
  name: KernelName,
  row: Case,
  scalars: Scalars,
  seed: number,
  relative = row.relative,
): void {
  const expected = execute(reference, name, row, scalars, seed);
  const scales = row.scale ? execute(reference, name, row, row.scale(scalars), seed, { absolute: true }) : expected;
  for (const [parameter, values] of Object.entries(actual)) {
    const absolute = Math.max(row.absolute ?? 0, row.absoluteOf?.(parameter, scalars) ?? 0);
    assertClose(values, expected[parameter], { relative, absolute, scale: scales[parameter] }, `${name} ${parameter}`);
  }
}
