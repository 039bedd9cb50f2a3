import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { Engine } from '../../src/engine/engine.ts';
import { catalogue, type KernelName } from '../../src/kernels/catalogue.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { guarded } from '../helpers/arena.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose, assertSameBits, drawn } from '../helpers/numbers.ts';
import { type Case, cases } from './cases.ts';

type Scalars = Record<string, number>;
type Outputs = Record<string, Float32Array | Float64Array>;
const table = Object.entries(cases) as unknown as readonly [KernelName, Case][];

/** Calls a kernel on drawn arrays; checks that it has changed nothing else; returns what it has written. */
function execute(
  engine: Engine,
  name: KernelName,
  row: Case,
  scalars: Scalars,
  seed: number,
  absolute = false,
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
  else engine.backend.run(name, ...(parameters.map((p) => pointers[p] ?? scalars[p]) as never));
  const outputs: Outputs = {};
  for (const { parameter, array, before, memory } of arrays) {
    memory.checkSurroundings(`${name} ${parameter}`, array.written === true);
    if (array.written) outputs[parameter] = memory.read().slice();
    else if (!array.integers) assertClose(memory.read(), before, {}, `the input ${parameter} of ${name}`);
  }
  return outputs;
}

function compare(actual: Outputs, name: KernelName, row: Case, scalars: Scalars, seed: number): void {
  const expected = execute(reference, name, row, scalars, seed);
  const scales = row.scale ? execute(reference, name, row, row.scale(scalars), seed, true) : expected;
  const { relative } = row;
  for (const [parameter, values] of Object.entries(actual)) {
    const absolute = Math.max(row.absolute ?? 0, row.absoluteOf?.(parameter, scalars) ?? 0);
    assertClose(values, expected[parameter], { relative, absolute, scale: scales[parameter] }, `${name} ${parameter}`);
  }
}

/** The same engine, noting which kernels are cut into more than one part. */
function watched({ backend }: Engine): { engine: Engine; cut: Set<string> } {
  const cut = new Set<string>();
  const run: typeof backend.run = (name, ...args) => {
    const row = catalogue[name] as unknown as Kernel<string[]>;
    if (row.items(...args) > row.grain(...args)) cut.add(name);
    backend.run(name, ...args);
  };
  return { engine: new Engine({ ...backend, run }), cut };
}

for (const engine of builds)
  describe(`the kernels of ${engine.name} agree with their definitions`, () => {
    for (const [name, row] of table)
      test(name, () => {
        fc.assert(
          fc.property(row.scalars, fc.nat(), (scalars, seed) => {
            compare(execute(engine, name, row, scalars, seed), name, row, scalars, seed);
          }),
          { numRuns: 100 },
        );
      });
  });

describe('two threads give the bits of one', async () => {
  for (const single of builds) {
    const simd = single.name === 'wasm-simd' ? 'simd' : 'relaxed';
    const pair = watched(await createEngine({ simd, threads: 2 }));
    after(() => pair.engine.close());
    for (const [name, row] of table)
      test(`${name}, ${simd}`, () => {
        const one = execute(single, name, row, row.large, 7);
        for (let time = 0; time < 3; time++) {
          const two = execute(pair.engine, name, row, row.large, 7);
          for (const parameter of Object.keys(one))
            assertSameBits(two[parameter] as Float32Array, one[parameter] as Float32Array, `${name} ${parameter}`);
        }
        assert.ok(pair.cut.has(name), `the large call of ${name} is one part only: make it larger`);
        compare(one, name, row, row.large, 7);
      });
  }
});
