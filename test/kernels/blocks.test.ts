import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { catalogue } from '../../src/kernels/catalogue.ts';
import relaxed from '../../src/kernels/generated/relaxed.ts';
import simd from '../../src/kernels/generated/simd.ts';
import { type Kernel, SCRATCH_BYTES } from '../../src/kernels/kernel.ts';
import { full, slow } from '../helpers/extent.ts';
import { assertSameBits, drawn } from '../helpers/numbers.ts';
import { type BlockKernelName, blockCases, drawGates, maskLists } from './blocks-cases.ts';

// That these kernels agree with their definitions and write nothing else is tested in catalogue.test.ts.

type Numeric = (...args: number[]) => void;

/** The bare kernels of a build, on a memory of their own. */
async function bare(base64: string) {
  const memory = new WebAssembly.Memory({ initial: 512, maximum: 512, shared: true });
  const code = Uint8Array.from(Buffer.from(base64, 'base64'));
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  const kernels = instance.exports as unknown as Record<string, Numeric>;
  const start = 1 << 16;
  let top = start;
  const allocate = (length: number): number => {
    const pointer = top;
    top += Math.max(64, Math.ceil(length / 16) * 64);
    return pointer;
  };
  kernels.setScratch(allocate(SCRATCH_BYTES / 4));
  const bottom = top;
  return {
    kernels,
    reset: () => {
      top = bottom;
    },
    put(values: ArrayLike<number>, integers = false): number {
      const pointer = allocate(values.length);
      const view = integers ? Int32Array : Float32Array;
      new view(memory.buffer, pointer, values.length).set(values);
      return pointer;
    },
    write: (pointer: number, values: Int32Array) => new Int32Array(memory.buffer, pointer, values.length).set(values),
    floats: (pointer: number, length: number) => new Float32Array(memory.buffer, pointer, length).slice(),
    integers: (pointer: number, length: number) => [...new Int32Array(memory.buffer, pointer, length)],
  };
}

type Bare = Awaited<ReturnType<typeof bare>>;
const builds: readonly [string, Bare][] = [
  ['plain', await bare(simd)],
  ['relaxed', await bare(relaxed)],
];

/** Calls a kernel with its items cut at the given places, in the given order; returns what it has written. */
function cutCall(
  build: Bare,
  name: BlockKernelName,
  scalars: Record<string, number>,
  seed: number,
  cuts: readonly number[],
  backwards: boolean,
): Float32Array[] {
  build.reset();
  const row = catalogue[name] as unknown as Kernel<string[]>;
  const arrays = Object.entries(blockCases[name].arrays(scalars)).map(([parameter, array], i) => {
    const values = drawn(array.draw ?? (() => Number.NaN), array.length, seed, i);
    return { parameter, array, pointer: build.put(values, array.integers) };
  });
  const pointers = Object.fromEntries(arrays.map(({ parameter, pointer }) => [parameter, pointer]));
  const args = row.parameters.map((p) => pointers[p] ?? scalars[p]);
  const items = row.items(...args);
  const places = [...new Set([0, ...cuts.map((cut) => cut % Math.max(1, items)), items])].sort((a, b) => a - b);
  const parts = places.slice(1).map((end, i) => [places[i], end]);
  for (const [begin, end] of backwards ? parts.reverse() : parts) build.kernels[name](begin, end, ...args);
  return arrays.filter(({ array }) => array.written).map((x) => build.floats(x.pointer, x.array.length));
}

for (const [build, kernels] of builds)
  describe(`block-sparse kernels, ${build} build`, () => {
    for (const name of Object.keys(blockCases) as BlockKernelName[])
      test(`${name}: any cutting gives the same bits`, { skip: build !== 'plain' && slow }, () => {
        const row = blockCases[name];
        const large = fc.constantFrom(row.large, ...(row.larger ?? []));
        const cuts = fc.array(fc.nat(1000), { maxLength: 5 });
        fc.assert(
          fc.property(fc.oneof(row.scalars, large), fc.nat(), cuts, (scalars, seed, places) => {
            const whole = cutCall(kernels, name, scalars, seed, [], false);
            const cut = cutCall(kernels, name, scalars, seed, places, true);
            for (const [i, values] of cut.entries()) assertSameBits(values, whole[i], name);
          }),
          { numRuns: full ? 20 : 5 },
        );
      });

    test('buildMask numbers the open pairs by block, then row', () => {
      const shape = fc.record({ rows: fc.nat(20), blocks: fc.nat(40), open: fc.constantFrom(0, 2, 8, 40) });
      fc.assert(
        fc.property(shape, fc.nat(), ({ rows, blocks, open }, seed) => {
          kernels.reset();
          const gates = drawGates(rows, blocks, open, seed);
          const { pairs, ...expected } = maskLists(gates, rows, blocks);
          const room = rows * blocks;
          const names = ['blockStart', 'pairRow', 'pairBlock', 'rowStart', 'rowPair'] as const;
          const lengths = [blocks + 1, room, room, rows + 1, room];
          const pointers = lengths.map((length) => kernels.put(new Int32Array(length).fill(-7), true));
          kernels.kernels.buildMask(0, 1, kernels.put(gates), ...pointers, rows, blocks);
          const memory = new Float64Array(room + 5 * (room + rows + blocks + 1));
          memory.set(gates);
          const indices = pointers.map((_, i) => room + i * (room + rows + blocks + 1));
          const [first, second, third, fourth, fifth] = indices;
          catalogue.buildMask.define(memory, 0, first, second, third, fourth, fifth, rows, blocks);
          for (const [i, name] of names.entries()) {
            const list = kernels.integers(pointers[i], lengths[i]);
            const used = expected[name].length;
            assert.deepEqual(list.slice(0, used), expected[name], name);
            assert.ok(
              list.slice(used).every((x) => x === -7),
              `${name}: the room beyond the ${pairs} pairs was written`,
            );
            assert.deepEqual([...memory.subarray(indices[i], indices[i] + used)], expected[name], `${name}, defined`);
          }
        }),
        { numRuns: 60 },
      );
    });

    test('countOpen counts what is not 0, NaN included and −0 not', () => {
      const gate = fc.constantFrom(0, -0, 1, 0.25, -3, 1e-40, Number.NaN, Number.POSITIVE_INFINITY);
      fc.assert(
        fc.property(fc.array(gate, { maxLength: 70 }), (gates) => {
          kernels.reset();
          const open = gates.filter((value) => value !== 0).length;
          const [count, surroundings] = [kernels.put(new Int32Array(1).fill(-7), true), [Number.NaN, 1]];
          const pointer = kernels.put(Float32Array.of(...gates, ...surroundings));
          kernels.kernels.countOpen(0, 1, pointer, count, gates.length);
          assert.deepEqual(kernels.integers(count, 1), [open]);
          const memory = new Float64Array([...gates, -7]);
          catalogue.countOpen.define(memory, 0, gates.length, gates.length);
          assert.equal(memory[gates.length], open);
        }),
      );
    });

    test('blockUniforms draws what uniforms draws', () => {
      for (const [rows, blocks, size] of [
        [7, 9, 1],
        [5, 4, 5],
        [5, 6, 20],
        [3, 3, 64],
      ]) {
        kernels.reset();
        const { pairs, pairRow, pairBlock } = maskLists(drawGates(rows, blocks, 8, 3), rows, blocks);
        const dense = kernels.put(new Float32Array(rows * blocks * size));
        const compact = kernels.put(new Float32Array(pairs * size));
        const key = [11, -12, 13, 14];
        kernels.kernels.uniforms(0, rows, dense, rows, blocks * size, ...key);
        const lists = [kernels.put(pairRow, true), kernels.put(pairBlock, true)];
        kernels.kernels.blockUniforms(0, Math.ceil(pairs / 4), compact, ...lists, pairs, size, ...key);
        const all = kernels.floats(dense, rows * blocks * size);
        const some = kernels.floats(compact, pairs * size);
        for (let p = 0; p < pairs; p++)
          for (let i = 0; i < size; i++)
            assert.equal(some[p * size + i], all[(pairRow[p] * blocks + pairBlock[p]) * size + i]);
      }
    });

    test('an accumulated weight gradient touches no block that no row has opened', () => {
      kernels.reset();
      const [rows, blocks, inputs, size] = [4, 3, 10, 5];
      const lists = maskLists([1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0], rows, blocks);
      const weights = kernels.put(new Float32Array(blocks * inputs * size).fill(Number.NaN));
      const x = kernels.put(new Float32Array(rows * inputs).fill(1));
      const dValues = kernels.put(new Float32Array(lists.pairs * size).fill(1));
      // A signalling NaN would become a quiet one in any addition.
      const poison = new Int32Array(inputs * size).fill(0x7fa00000);
      const closed = weights + 4 * inputs * size;
      const mask = [kernels.put(lists.blockStart, true), kernels.put(lists.pairRow, true)];
      kernels.write(closed, poison);
      kernels.kernels.denseToBlocksWeights(
        0,
        blocks,
        x,
        dValues,
        weights,
        ...mask,
        lists.pairs,
        blocks,
        inputs,
        size,
        -1,
        1,
      );
      assert.deepEqual(kernels.integers(closed, inputs * size), [...poison]);
    });
  });

test('between gated layers, a minibatch of too many rows is refused', () => {
  const { blocksToBlocks } = catalogue;
  const args = blocksToBlocks.parameters.map((p) => (p === 'rows' ? 2 ** 17 + 1 : 1));
  assert.throws(() => blocksToBlocks.items(...(args as Parameters<typeof blocksToBlocks.items>)), /131072 or fewer/);
});
