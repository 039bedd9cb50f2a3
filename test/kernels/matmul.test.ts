import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import relaxed from '../../src/kernels/generated/relaxed.ts';
import simd from '../../src/kernels/generated/simd.ts';
import { SCRATCH_BYTES } from '../../src/kernels/kernel.ts';
import { matmulPacked, packedLeftSize, packLeft } from '../../src/kernels/matmul.ts';
import { full } from '../helpers/extent.ts';

type Exports = Record<'setScratch' | 'packLeft' | 'matmulPacked', (...args: number[]) => void>;

const SCRATCH = 1 << 16;
const HEAP = SCRATCH + SCRATCH_BYTES;
const MEMORY_BYTES = 1 << 24;
/** Stands in every element that no kernel may write. */
const SENTINEL = 12345.678;

const memory = new WebAssembly.Memory({ initial: MEMORY_BYTES >> 16, maximum: 65536, shared: true });
const floats = new Float32Array(memory.buffer);

function instantiate(base64: string): Exports | undefined {
  const bytes = Buffer.from(base64, 'base64');
  if (!WebAssembly.validate(bytes)) return undefined;
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports as Exports;
  exports.setScratch(SCRATCH);
  return exports;
}

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly form: string;
  /** Elements between the lines of a matrix beyond its own. */
  readonly gap: number;
  readonly bias: boolean;
  readonly accumulate: boolean;
  readonly seed: number;
}

/** Row and column strides of a rows×columns matrix: stored by rows (N), by columns (T), or with no unit stride (G). */
function strides(letter: string, rows: number, columns: number, gap: number): [row: number, column: number] {
  if (letter === 'N') return [columns + gap, 1];
  if (letter === 'T') return [1, rows + gap];
  return [2 * columns + gap, 2];
}

/** Places the operands in memory, one after another from HEAP, with sentinels after each; addresses are elements. */
function layOut({ m, n, k, form, gap, bias, seed }: Product) {
  let top = HEAP / 4;
  const reserve = (elements: number): number => {
    const start = top;
    top += elements + 64;
    return start;
  };
  const [aRow, aColumn] = strides(form[0], m, k, gap);
  const [bRow, bColumn] = strides(form[1], k, n, gap);
  const a = reserve(Math.max(0, m - 1) * aRow + k * aColumn);
  const b = reserve(Math.max(0, k - 1) * bRow + n * bColumn);
  const biasRow = reserve(n);
  const c = reserve(m * (n + gap));
  const inputsEnd = top;
  const packed = reserve(packedLeftSize(m, k));
  let state = seed;
  for (let i = HEAP / 4; i < inputsEnd; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    floats[i] = state / 2 ** 31;
  }
  floats.fill(SENTINEL, inputsEnd, top);
  return { a, aRow, aColumn, b, bRow, bColumn, biasRow: bias ? biasRow : 0, c, cRow: n + gap, packed, end: top };
}

type Layout = ReturnType<typeof layOut>;

const packArguments = (l: Layout, { m, k }: Product, unit: number) =>
  [l.a * unit, l.packed * unit, m, k, l.aRow, l.aColumn] as const;
const productArguments = (l: Layout, { m, n, k, accumulate }: Product, unit: number) =>
  [l.packed * unit, l.b * unit, l.c * unit, m, n, k, l.bRow, l.bColumn, l.cRow, l.biasRow * unit, +accumulate] as const;

/** Runs both kernels, each cut into parts at these fractions of its items, parts in reverse order. */
function multiply(
  kernels: Exports,
  product: Product,
  cuts: readonly number[],
): { before: Float32Array; layout: Layout } {
  const layout = layOut(product);
  const before = floats.slice(0, layout.end);
  const packing = packArguments(layout, product, 4);
  const multiplying = productArguments(layout, product, 4);
  for (const [begin, end] of parts(packLeft.items(...packing), cuts)) kernels.packLeft(begin, end, ...packing);
  for (const [begin, end] of parts(matmulPacked.items(...multiplying), cuts))
    kernels.matmulPacked(begin, end, ...multiplying);
  return { before, layout };
}

function parts(items: number, cuts: readonly number[]): [begin: number, end: number][] {
  const edges = [0, ...cuts.map((cut) => Math.floor(cut * items)), items].sort((x, y) => x - y);
  return edges
    .slice(1)
    .map((end, i): [number, number] => [edges[i], end])
    .reverse();
}

/** Compares memory with the catalogue's definition: C within the error bound of Float32, the rest to the bit. */
function compare(product: Product, { before, layout }: ReturnType<typeof multiply>): void {
  const { m, n, k } = product;
  const { a, aRow, aColumn, b, bRow, bColumn, c, cRow, packed } = layout;
  const expected = Float64Array.from(before);
  packLeft.define(expected, ...packArguments(layout, product, 1));
  matmulPacked.define(expected, ...productArguments(layout, product, 1));
  const written = new Set<number>();
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const at = c + i * cRow + j;
      written.add(at);
      let size = 2;
      for (let p = 0; p < k; p++)
        size += Math.abs(before[a + i * aRow + p * aColumn] * before[b + p * bRow + j * bColumn]);
      assert.ok(
        Math.abs(floats[at] - expected[at]) <= 1e-5 * size,
        `C[${i}, ${j}] = ${floats[at]}, not ${expected[at]}`,
      );
    }
  for (let i = HEAP / 4; i < layout.end; i++) {
    if (!written.has(i) && !Object.is(floats[i], Math.fround(expected[i])))
      assert.fail(`element ${i} (C at ${c}, packed at ${packed}) is ${floats[i]}, not ${expected[i]}`);
  }
}

const size = (most: number) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(0, 1) },
    { weight: 6, arbitrary: fc.integer({ min: 2, max: most }) },
  );
const products = fc.record({
  m: size(120),
  n: size(80),
  k: fc.oneof({ weight: 4, arbitrary: size(40) }, { weight: 1, arbitrary: fc.integer({ min: 500, max: 1100 }) }),
  form: fc.constantFrom('NN', 'NT', 'TN', 'TT', 'GG'),
  gap: fc.integer({ min: 0, max: 5 }),
  bias: fc.boolean(),
  accumulate: fc.boolean(),
  seed: fc.integer(),
});
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });

for (const [name, base64] of Object.entries({ simd, relaxed })) {
  const kernels = instantiate(base64);
  const skip = kernels ? false : 'this Node has no such WebAssembly';

  test(`${name}: a product of any shape and form is its definition, and nothing else is written`, { skip }, () => {
    fc.assert(
      fc.property(products, (product) => compare(product, multiply(kernels!, product, []))),
      { numRuns: full ? 150 : 40 },
    );
  });

  test(`${name}: the result is the same bits however the items are shared out`, { skip }, () => {
    fc.assert(
      fc.property(products, cuts, (product, someCuts) => {
        const { layout } = multiply(kernels!, product, []);
        const whole = floats.slice(HEAP / 4, layout.end);
        multiply(kernels!, product, someCuts);
        assert.deepEqual(floats.slice(HEAP / 4, layout.end), whole);
      }),
      { numRuns: full ? 80 : 20 },
    );
  });

  test(`${name}: the products of a training step`, { skip }, () => {
    const shapes = [
      [100, 200, 784, 'NN'],
      [784, 200, 100, 'TN'],
      [100, 784, 200, 'NT'],
      [700, 10, 100, 'TN'],
      [2, 600, 3, 'NN'],
    ] as const;
    for (const [m, n, k, form] of shapes) {
      const product = { m, n, k, form, gap: 0, bias: true, accumulate: false, seed: 7 };
      compare(product, multiply(kernels!, product, [0.3, 0.5]));
    }
  });

  test(`${name}: an infinity stays in its own row and column`, { skip }, () => {
    const product = { m: 7, n: 9, k: 5, form: 'NN', gap: 0, bias: false, accumulate: false, seed: 3 };
    const layout = layOut(product);
    floats[layout.a + 6 * layout.aRow] = Number.POSITIVE_INFINITY;
    kernels!.packLeft(0, 2, ...packArguments(layout, product, 4));
    kernels!.matmulPacked(0, 1, ...productArguments(layout, product, 4));
    const finite = [...floats.slice(layout.c, layout.c + 63)].map(Number.isFinite);
    assert.deepEqual(finite, [...Array(54).fill(true), ...Array(9).fill(false)]);
  });
}
