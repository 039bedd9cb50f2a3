/** Small products without packing have the bits of packing: what a row gives must not depend on how many others there are. */
import { test } from 'node:test';
import fc from 'fast-check';
import { packedLeftSize } from '../../src/kernels/matmul.ts';
import { builds } from '../helpers/engines.ts';
import { assertSameBits, drawn, normal } from '../helpers/numbers.ts';

const few = fc.integer({ min: 1, max: 8 });
/** Over a group of columns; over one and two blocks of the depth of packing. */
const width = fc.oneof(fc.integer({ min: 1, max: 140 }), fc.constantFrom(64, 256));
const depth = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(511, 512, 513, 1025));
const shape = fc.record({ few, width, depth, gap: fc.nat(3), bias: fc.boolean(), accumulate: fc.boolean() });

for (const engine of builds)
  for (const form of ['rows', 'transposed', 'steps'] as const)
    test(`${engine.name}: ${form} of a small product have the bits of packing`, () => {
      fc.assert(
        fc.property(shape, fc.nat(), (size, seed) => {
          const { gap, accumulate } = size;
          const steps = form === 'steps';
          const [m, n, k] = steps ? [size.depth, size.width, size.few] : [size.few, size.width, size.depth];
          const bias = size.bias && !steps && !accumulate;
          const { backend } = engine;
          engine.beginStep();
          const put = (length: number, stream: number) => engine.tensor(drawn(normal(), length, seed, stream)).pointer;
          const [aRow, aColumn] = steps ? [1, m + gap] : [k + gap, 1];
          const [bRow, bColumn] = form === 'transposed' ? [1, k + gap] : [n + gap, 1];
          const a = put(m * aRow + k * aColumn, 0);
          const b = put(k * bRow + n * bColumn, 1);
          const row = bias ? put(n, 2) : 0;
          const values = drawn(normal(), m * (n + gap), seed, 3);
          const [packed, own] = [engine.tensor(values), engine.tensor(values)];
          const room = backend.heap.allocate(packedLeftSize(m, k), 'a packed matrix');
          const rest = [row, Number(accumulate)] as const;
          backend.run('packLeft', a, room, m, k, aRow, aColumn);
          backend.run('matmulPacked', room, b, packed.pointer, m, n, k, bRow, bColumn, n + gap, ...rest);
          const pointers = [a, b, own.pointer, m, n, k] as const;
          if (steps) backend.run('matmulFewSteps', ...pointers, aColumn, bRow, n + gap, Number(accumulate));
          else if (form === 'rows') backend.run('matmulFewRows', ...pointers, aRow, bRow, n + gap, ...rest);
          else backend.run('matmulFewRowsTransposed', ...pointers, aRow, bColumn, n + gap, ...rest);
          assertSameBits(own.values as Float32Array, packed.values as Float32Array, form);
        }),
        { numRuns: 60 },
      );
    });
