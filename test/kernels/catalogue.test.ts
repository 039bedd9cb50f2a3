import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { Engine } from '../../src/backend/engine.ts';
import { catalogue, type KernelName } from '../../src/kernels/catalogue.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { builds } from '../helpers/engines.ts';
import { full, slow } from '../helpers/extent.ts';
import { assertSameBits } from '../helpers/numbers.ts';
import { type Case, cases } from './cases.ts';
import { compare, execute } from './execute.ts';

const table = Object.entries(cases) as unknown as readonly [KernelName, Case][];

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
          { numRuns: full ? 100 : 5 },
        );
      });
  });

describe('two threads give the bits of one', async () => {
  for (const single of builds) {
    const simd = single.name === 'wasm-simd' ? 'simd' : 'relaxed';
    const pair = watched(await createEngine({ simd, threads: 2 }));
    after(() => pair.engine.close());
    // The two builds are cut in one way.
    for (const [i, [name, row]] of table.entries())
      test(`${name}, ${simd}`, { skip: (simd === 'simd' || i % 3 > 0) && slow }, () => {
        for (const large of [row.large, ...(row.larger ?? [])]) {
          pair.cut.delete(name);
          const one = execute(single, name, row, large, 7);
          for (let time = 0; time < (full ? 3 : 1); time++) {
            const two = execute(pair.engine, name, row, large, 7);
            for (const parameter of Object.keys(one))
              assertSameBits(two[parameter] as Float32Array, one[parameter] as Float32Array, `${name} ${parameter}`);
          }
          assert.ok(pair.cut.has(name), `the large call of ${name} is one part only: make it larger`);
          compare(one, name, row, large, 7);
        }
      });
  }
});
