import fc from 'fast-check';
import type { Engine } from '../../src/backend/engine.ts';
import { multiplyMatrices } from '../../src/backend/matmul.ts';
import { targetOf } from '../../src/backend/matrix.ts';
import { NdArray } from '../../src/backend/nd-array.ts';
import type { catalogue, KernelName } from '../../src/kernels/catalogue.ts';
import { windows } from '../../src/math/windows.ts';
import { type Draw, normal, uniform, wide } from '../helpers/numbers.ts';
import { type BlockKernelName, blockCases } from './blocks-cases.ts';
import { type SequenceKernelName, sequenceCases } from './sequence-cases.ts';
import { axisCases, type StridedKernelName, stridedCases } from './strided-cases.ts';

/** An array that a kernel is given. */
export interface ArrayCase {
  readonly length: number;
  /** What it holds before the call; without it, NaN: a kernel that reads it shows. */
  readonly draw?: Draw;
  readonly written?: true;
  readonly integers?: true;
}

/** Random calls of one kernel, and how near to its definition the results must be. */
export interface Case<Scalar extends string = string, Pointer extends string = string> {
  readonly scalars: fc.Arbitrary<Record<Scalar, number>>;
  /** A call that is cut into several parts. */
  readonly large: Record<Scalar, number>;
  /** Others, where a kernel cuts its work in several ways. */
  readonly larger?: readonly Record<Scalar, number>[];
  arrays(scalars: Record<Scalar, number>): Record<Pointer, ArrayCase>;
  /** Largest error relative to the result's scale: the rounding of a Float32 is 6e-8. */
  readonly relative: number;
  readonly absolute?: number;
  /** A larger absolute error for one of the results, where it grows with the call. */
  absoluteOf?(result: Pointer, scalars: Record<Scalar, number>): number;
  /** For results with cancellation: their scale is what the definition gives for absolute values and these scalars. */
  scale?(scalars: Record<Scalar, number>): Record<Scalar, number>;
  /** Calls the kernel, where that is more than one call with the arguments above. */
  call?(engine: Engine, pointers: Record<Pointer, number>, scalars: Record<Scalar, number>): void;
}

type Parameter<N extends KernelName> = (typeof catalogue)[N]['parameters'][number];
type Pointer<N extends KernelName> = Extract<Parameter<N>, `${string}*` | `${string}#`>;
/** The layout of packed matrices is the business of these two kernels alone: they are tested as the product they make. */
type Packing = 'packLeft' | 'matmulPacked';
/** Their strides depend on each other. */
type FewProduct = Extract<KernelName, `matmulFew${string}`>;
type CaseOf<N extends KernelName> = N extends
  | Packing
  | FewProduct
  | BlockKernelName
  | SequenceKernelName
  | StridedKernelName
  ? Case
  : Case<Exclude<Parameter<N>, Pointer<N>>, Pointer<N>>;

/** Which logits are −∞; their targets are 0. */
const isMasked = (i: number): boolean => i % 13 === 5;
const someMasked: Draw = (random, i) => (isMasked(i) ? Number.NEGATIVE_INFINITY : normal(6)(random, i));

/** Sizes with the ends of vectors (4), lines (16) and their neighbours well covered. */
const size = fc.oneof(fc.constantFrom(0, 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 64), fc.nat(200));
const small = fc.oneof(fc.constantFrom(0, 1, 3, 4, 5, 16, 17, 19), fc.nat(40));
const positive = small.map((n) => n || 1);
const float = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map(Math.fround);
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const label = (columns: number): Draw => {
  return (random) => random.integer(columns);
};
/** 0, −0, or another number, half of the time each. */
const half: Draw = (random, i) => (random.uniform() < 0.5 ? (i % 3 === 0 ? -0 : 0) : random.uniform() - 0.5);
const absolute = <S>(scalars: S): S => scalars;

/** Elements over one part of an element-wise kernel, and no multiple of 4. */
const MANY = 2 * 16384 + 3;

const product: Case = {
  scalars: fc.record({
    m: small,
    n: small,
    k: small,
    transposeA: fc.nat(1),
    transposeB: fc.nat(1),
    bias: fc.nat(1),
    accumulate: fc.nat(1),
  }),
  large: { m: 401, n: 101, k: 83, transposeA: 0, transposeB: 1, bias: 1, accumulate: 0 },
  arrays: ({ m, n, k, accumulate }) => ({
    'a*': { length: m * k, draw: normal() },
    'b*': { length: k * n, draw: normal() },
    'bias*': { length: n, draw: normal() },
    'c*': { length: m * n, written: true, ...(accumulate ? { draw: normal() } : {}) },
  }),
  relative: 1e-6,
  scale: absolute,
  call(engine, pointers, { m, n, k, transposeA, transposeB, bias, accumulate }) {
    const { heap } = engine.backend;
    const plain = (rows: number, columns: number, transpose: number) =>
      transpose ? { rowStride: 1, columnStride: rows } : { rowStride: columns, columnStride: 1 };
    const a = { pointer: pointers['a*'], ...plain(m, k, transposeA) };
    const b = { pointer: pointers['b*'], ...plain(k, n, transposeB) };
    const options = bias && !accumulate ? { bias: pointers['bias*'] } : {};
    const c = targetOf(new NdArray(heap, pointers['c*'], [m, n]));
    multiplyMatrices(engine, a, b, c, { m, n, k, accumulate: accumulate === 1, ...options });
  },
};

/** A small product without packing; rows, or columns, of the three matrices stand a little apart. */
const fewProduct = (inner: 'rows' | 'transposed' | 'steps'): Case => {
  const strides = ({ m, n, k }: Record<'m' | 'n' | 'k', number>, gap: number): Record<string, number> => ({
    ...(inner === 'steps' ? { aColumn: m + gap } : { aRow: k + gap }),
    ...(inner === 'transposed' ? { bColumn: k + gap } : { bRow: n + gap }),
    cRow: n + gap,
  });
  const sizes = { m: small, n: size, k: small, gap: fc.nat(5), accumulate: fc.nat(1) };
  return {
    scalars: fc.record(sizes).map(({ gap, ...rest }) => ({ ...rest, ...strides(rest, gap) })),
    large: { m: 37, n: 301, k: 83, accumulate: 0, ...strides({ m: 37, n: 301, k: 83 }, 3) },
    arrays: ({ m, n, k, cRow, accumulate, ...rest }) => ({
      'a*': { length: inner === 'steps' ? k * rest.aColumn : m * rest.aRow, draw: normal() },
      'b*': { length: inner === 'transposed' ? n * rest.bColumn : k * rest.bRow, draw: normal() },
      ...(inner !== 'steps' && { 'bias*': { length: n, draw: normal() } }),
      // What stands between the rows stays.
      'c*': { length: m * cRow, written: true, draw: accumulate || cRow > n ? normal() : () => Number.NaN },
    }),
    relative: 1e-6,
    scale: absolute,
  };
};

/** Listed rows that stand a little apart. */
const listed = fc
  .tuple(small, small, fc.nat(5))
  .map(([rows, columns, gap]) => ({ rows, columns, stride: columns + gap }));
/** Half of the rows of a matrix, none twice. */
const rowsOnce = (rows: number): ArrayCase => ({
  length: rows,
  draw: (_, i) => 2 * (rows - 1 - i) + (i % 2),
  integers: true,
});

/** The same, with gates a little apart too. */
const gatedRows = fc
  .tuple(listed, fc.integer({ min: 1, max: 4 }))
  .map(([shape, gateStride]) => ({ ...shape, gateStride }));

/** Pictures and windows that may not fit. */
const few = fc.integer({ min: 1, max: 7 });
const step = fc.integer({ min: 1, max: 3 });
const pictures = fc.record({
  images: fc.nat(3),
  height: few,
  width: few,
  channels: fc.oneof(few, fc.constantFrom(8, 16, 19)),
  sizeY: step,
  sizeX: step,
  strideY: step,
  strideX: step,
  mean: fc.nat(1),
});
const LARGE_PICTURES = {
  images: 5,
  height: 9,
  width: 8,
  channels: 6,
  sizeY: 3,
  sizeX: 2,
  strideY: 2,
  strideX: 1,
  mean: 0,
};
type Pictures = typeof LARGE_PICTURES;
const pixelsOf = ({ images, height, width, channels }: Omit<Pictures, 'mean'>): number =>
  images * height * width * channels;
const pooledOf = ({ images, height, width, channels, sizeY, sizeX, strideY, strideX }: Pictures): number =>
  images * windows(height, sizeY, strideY) * windows(width, sizeX, strideX) * channels;

/** Windows on pictures with zeros around them. */
const { mean: _mean, ...LARGE_UNPADDED } = LARGE_PICTURES;
const LARGE_WINDOWS = { ...LARGE_UNPADDED, images: 8, channels: 35, padY: 1, padX: 2 };
type Windows = typeof LARGE_WINDOWS;
const padded = fc.record({
  images: fc.nat(3),
  height: few,
  width: few,
  channels: fc.oneof(few, fc.constantFrom(8, 16, 19)),
  sizeY: step,
  sizeX: step,
  strideY: step,
  strideX: step,
  padY: fc.nat(2),
  padX: fc.nat(2),
});
const windowsOf = ({ images, height, width, sizeY, sizeX, strideY, strideX, padY, padX }: Windows): number =>
  images * windows(height, sizeY, strideY, padY) * windows(width, sizeX, strideX, padX);

/** One row a kernel of the catalogue; a missing row, argument or array is a compile error. */
export const cases = {
  add: {
    scalars: fc.record({ n: size }),
    large: { n: MANY },
    arrays: ({ n }) => ({
      'x*': { length: n, draw: wide },
      'y*': { length: n, draw: wide },
      'out*': { length: n, written: true },
    }),
    relative: 6e-8,
  },
  multiply: {
    scalars: fc.record({ n: size }),
    large: { n: MANY },
    arrays: ({ n }) => ({
      'x*': { length: n, draw: wide },
      'y*': { length: n, draw: wide },
      'out*': { length: n, written: true },
    }),
    relative: 6e-8,
  },
  scale: {
    scalars: fc.record({ n: size, alpha: float(-100, 100) }),
    large: { n: MANY, alpha: 0.375 },
    arrays: ({ n }) => ({ 'x*': { length: n, draw: wide }, 'out*': { length: n, written: true } }),
    relative: 6e-8,
    absolute: 1e-38,
  },
  addScaled: {
    scalars: fc.record({ n: size, alpha: float(-100, 100) }),
    large: { n: MANY, alpha: -1.5 },
    arrays: ({ n }) => ({ 'x*': { length: n, draw: wide }, 'out*': { length: n, draw: wide, written: true } }),
    relative: 1.3e-7,
    absolute: 1e-38,
    scale: ({ n, alpha }) => ({ n, alpha: Math.abs(alpha) }),
  },
  fill: {
    scalars: fc.record({ n: size, value: float(-1e30, 1e30) }),
    large: { n: MANY, value: 0.1 },
    arrays: ({ n }) => ({ 'out*': { length: n, written: true } }),
    relative: 6e-8,
  },
  addBias: {
    scalars: fc.record({ rows: small, columns: small }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'x*': { length: rows * columns, draw: wide },
      'bias*': { length: columns, draw: wide },
      'out*': { length: rows * columns, written: true },
    }),
    relative: 6e-8,
  },
  fillRows: {
    scalars: fc
      .tuple(small, small, fc.nat(5))
      .map(([rows, columns, gap]) => ({ rows, columns, stride: columns + gap })),
    large: { rows: 401, columns: 123, stride: 130 },
    arrays: ({ rows, columns, stride }) => ({
      'row*': { length: columns, draw: wide },
      // What stands between the rows must stay.
      'out*': { length: rows * stride, draw: wide, written: true },
    }),
    relative: 0,
  },
  columnSums: {
    scalars: fc.record({ rows: small, columns: small }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'x*': { length: rows * columns, draw: wide },
      'out*': { length: columns, written: true },
    }),
    relative: 1e-6,
    scale: absolute,
  },
  countNonzero: {
    scalars: fc.record({ rows: small, columns: small }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'x*': { length: rows * columns, draw: half },
      'weights*': { length: rows, draw: uniform },
      'out*': { length: columns, written: true },
    }),
    relative: 3e-6,
    // An even number of rows goes without weights.
    call(engine, pointers, { rows, columns }) {
      const weights = rows % 2 === 1 ? pointers['weights*'] : 0;
      engine.backend.run('countNonzero', pointers['x*'], weights, pointers['out*'], rows, columns);
    },
  },
  softmaxCrossEntropy: {
    scalars: fc.record({ rows: small, columns: positive }),
    large: { rows: 4001, columns: 11 },
    arrays: ({ rows, columns }) => ({
      'logits*': { length: rows * columns, draw: normal(6) },
      'labels#': { length: rows, draw: label(columns), integers: true },
      'losses*': { length: rows, written: true },
      'probabilities*': { length: rows * columns, written: true },
    }),
    // The largest logit is taken off the others, up to about 45 apart: that rounding is an absolute error of the exponent.
    relative: 4e-6,
    absolute: 1e-26,
    // The loss is the logarithm of a sum of `columns` numbers that starts at 1: each addition rounds by up to 2⁻²⁴.
    absoluteOf: (result, { columns }) => (result === 'losses*' ? (columns + 2) * 2 ** -24 : 0),
  },
  softmaxCrossEntropyPullback: {
    scalars: fc.record({ rows: small, columns: positive }),
    large: { rows: 4001, columns: 11 },
    arrays: ({ rows, columns }) => ({
      'probabilities*': { length: rows * columns, draw: uniform },
      'labels#': { length: rows, draw: label(columns), integers: true },
      'cotangent*': { length: rows, draw: wide },
      'out*': { length: rows * columns, written: true },
    }),
    relative: 1.3e-7,
  },
  sigmoidCrossEntropy: {
    scalars: fc.record({ rows: small, columns: small }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'logits*': { length: rows * columns, draw: someMasked },
      // Bits, and now and then a number between.
      'targets*': {
        length: rows * columns,
        draw: (random, i) => (isMasked(i) ? 0 : i % 8 === 0 ? random.uniform() : random.integer(2)),
      },
      'losses*': { length: rows, written: true },
    }),
    relative: 2e-6,
    // Logits up to about 30 apart from the term that is left of them, rounded in every term.
    absoluteOf: (_, { columns }) => columns * 32 * 2 ** -24,
  },
  sigmoidCrossEntropyPullback: {
    scalars: fc.record({ rows: small, columns: small }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'logits*': { length: rows * columns, draw: someMasked },
      'targets*': { length: rows * columns, draw: (random, i) => (isMasked(i) ? 0 : random.integer(2)) },
      'cotangent*': { length: rows, draw: normal() },
      'out*': { length: rows * columns, written: true },
    }),
    relative: 1e-6,
    absolute: 1e-6,
  },
  bernoulliDivergence: {
    scalars: fc.record({ rows: small, columns: small }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'logits*': { length: rows * columns, draw: someMasked },
      'out*': { length: rows, written: true },
    }),
    relative: 2e-6,
    // log 2 less an entropy near it.
    absoluteOf: (_, { columns }) => columns * 2 ** -22,
  },
  bernoulliDivergencePullback: {
    scalars: fc.record({ rows: small, columns: small }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'logits*': { length: rows * columns, draw: someMasked },
      'cotangent*': { length: rows, draw: normal() },
      'out*': { length: rows * columns, written: true },
    }),
    relative: 2e-6,
    absolute: 1e-30,
  },
  uniforms: {
    scalars: fc.record({ rows: small, columns: size, key0: word, key1: word, step: word, stream: word }),
    large: { rows: 401, columns: 123, key0: 1, key1: -2, step: 3, stream: 2 ** 32 - 65536 },
    arrays: ({ rows, columns }) => ({ 'out*': { length: rows * columns, written: true } }),
    relative: 0,
  },
  uniformsOfRows: {
    scalars: fc.record({ rows: small, columns: size, key0: word, key1: word, step: word, stream: word }),
    large: { rows: 401, columns: 123, key0: 1, key1: -2, step: 3, stream: 2 ** 32 - 65536 },
    arrays: ({ rows, columns }) => ({
      'rowOf#': rowsOnce(rows),
      'out*': { length: rows * columns, written: true },
    }),
    relative: 0,
  },
  bernoulli: {
    scalars: fc.record({ n: size }),
    large: { n: MANY },
    arrays: ({ n }) => ({
      'u*': { length: n, draw: uniform },
      // One in eight equals its uniform: 1[u < p] must then be 0.
      'p*': { length: n, draw: (random, i) => (i % 8 === 0 ? 0.5 : random.uniform()) },
      'out*': { length: n, written: true },
    }),
    relative: 0,
  },
  logistic: {
    scalars: fc.record({ n: size, scale: float(-4, 4) }),
    large: { n: MANY, scale: 1 },
    arrays: ({ n }) => ({ 'u*': { length: n, draw: uniform }, 'out*': { length: n, written: true } }),
    relative: 3e-7,
    absolute: 5e-7,
  },
  normal: {
    scalars: fc.record({ n: size, scale: float(-4, 4) }),
    large: { n: MANY, scale: 1 },
    arrays: ({ n }) => ({ 'u*': { length: n, draw: uniform }, 'out*': { length: n, written: true } }),
    relative: 2e-6,
    absolute: 1e-37,
  },
  gateMultiply: {
    scalars: fc.record({ rows: small, blocks: small, size: small }),
    large: { rows: 401, blocks: 5, size: 23 },
    arrays: ({ rows, blocks, size }) => ({
      'gates*': { length: rows * blocks, draw: wide },
      'values*': { length: rows * blocks * size, draw: wide },
      'out*': { length: rows * blocks * size, written: true },
    }),
    relative: 6e-8,
  },
  blockDot: {
    scalars: fc.record({ rows: small, blocks: small, size: small }),
    large: { rows: 401, blocks: 5, size: 23 },
    arrays: ({ rows, blocks, size }) => ({
      'x*': { length: rows * blocks * size, draw: wide },
      'y*': { length: rows * blocks * size, draw: wide },
      'out*': { length: rows * blocks, written: true },
    }),
    relative: 1e-6,
    scale: absolute,
  },
  probeGates: {
    scalars: fc.record({ n: size, probability: float(0.01, 1) }),
    large: { n: MANY, probability: Math.fround(0.1) },
    arrays: ({ n }) => ({
      'gates*': { length: n, draw: (random) => (random.uniform() < 0.3 ? random.normal() : 0) },
      'marks*': { length: n, draw: uniform, written: true },
      'weights*': { length: n, written: true },
    }),
    relative: 1e-7,
  },
  switchBalance: {
    scalars: fc.record({ rows: small, units: small }),
    large: { rows: 401, units: 130 },
    arrays: ({ rows, units }) => ({
      'logits*': { length: rows * units, draw: (random) => 3 * random.normal() },
      'shares*': { length: units, draw: (random) => random.uniform() / Math.max(1, units) },
      'gradient*': { length: rows * units, written: true },
      'values*': { length: rows, written: true },
    }),
    relative: 2e-6,
    absolute: 1e-6,
  },
  momentumUpdate: {
    scalars: fc.record({ n: size, rate: float(0, 1), momentum: float(0, 1) }),
    large: { n: MANY, rate: Math.fround(0.1), momentum: Math.fround(0.9) },
    arrays: ({ n }) => ({
      'weights*': { length: n, draw: wide, written: true },
      'gradient*': { length: n, draw: wide },
      'velocity*': { length: n, draw: wide, written: true },
    }),
    relative: 3e-7,
    absolute: 1e-37,
    scale: ({ rate, ...rest }) => ({ ...rest, rate: -rate }),
  },
  adamUpdate: {
    scalars: fc.record({
      n: size,
      gradientScale: float(0.001, 1),
      rate: float(0, 1),
      beta1: float(0, 0.99),
      beta2: float(0.5, 0.9999),
      correction: float(1, 1000),
      epsilon: float(1e-8, 1e-3),
    }),
    large: {
      n: MANY,
      gradientScale: Math.fround(0.01),
      rate: Math.fround(0.001),
      beta1: Math.fround(0.9),
      beta2: Math.fround(0.999),
      correction: 10,
      epsilon: Math.fround(1e-8),
    },
    arrays: ({ n }) => ({
      'weights*': { length: n, draw: wide, written: true },
      'gradient*': { length: n, draw: wide },
      'first*': { length: n, draw: wide, written: true },
      'second*': { length: n, draw: (random) => random.normal() ** 2, written: true },
    }),
    relative: 1e-6,
    absolute: 1e-30,
    scale: ({ rate, ...rest }) => ({ ...rest, rate: -rate }),
  },
  maxNorm: {
    scalars: fc.record({ rows: small, columns: small, limit: float(0.01, 10) }),
    large: { rows: 401, columns: 123, limit: 1 },
    arrays: ({ rows, columns }) => ({ 'weights*': { length: rows * columns, draw: normal(), written: true } }),
    relative: 1e-6,
    absolute: 1e-37,
  },
  gatherRows: {
    scalars: listed,
    large: { rows: 401, columns: 123, stride: 130 },
    arrays: ({ rows, columns, stride }) => ({
      'x*': { length: 2 * rows * stride, draw: wide },
      'rowOf#': rowsOnce(rows),
      'out*': { length: rows * columns, written: true },
    }),
    relative: 0,
  },
  transposeRows: {
    scalars: fc.record({ rows: small, columns: small }),
    large: { rows: 123, columns: 401 },
    arrays: ({ rows, columns }) => ({
      'x*': { length: rows * columns, draw: wide },
      'out*': { length: rows * columns, written: true },
    }),
    relative: 0,
  },
  addTransposedRows: {
    scalars: listed,
    large: { rows: 401, columns: 123, stride: 130 },
    arrays: ({ rows, columns, stride }) => ({
      'x*': { length: rows * columns, draw: wide },
      'rowOf#': rowsOnce(rows),
      'y*': { length: 2 * rows * stride, draw: wide, written: true },
    }),
    relative: 1.3e-7,
    scale: absolute,
  },
  addGatedRows: {
    scalars: gatedRows,
    large: { rows: 401, columns: 123, gateStride: 3, stride: 130 },
    arrays: ({ rows, columns, gateStride, stride }) => ({
      'values*': { length: rows * columns, draw: normal() },
      'gates*': { length: 2 * rows * gateStride, draw: half },
      'rowOf#': rowsOnce(rows),
      'out*': { length: 2 * rows * stride, draw: normal(), written: true },
    }),
    relative: 1.3e-7,
    scale: absolute,
  },
  gatedRowsValues: {
    scalars: gatedRows,
    large: { rows: 401, columns: 123, gateStride: 3, stride: 130 },
    arrays: ({ rows, columns, gateStride, stride }) => ({
      'dy*': { length: 2 * rows * stride, draw: normal() },
      'gates*': { length: 2 * rows * gateStride, draw: half },
      'rowOf#': rowsOnce(rows),
      'out*': { length: rows * columns, written: true },
    }),
    relative: 6e-8,
    absolute: 1e-37,
  },
  gatedRowsGates: {
    scalars: gatedRows,
    large: { rows: 401, columns: 123, gateStride: 3, stride: 130 },
    arrays: ({ rows, columns, gateStride, stride }) => ({
      'values*': { length: rows * columns, draw: normal() },
      'dy*': { length: 2 * rows * stride, draw: normal() },
      'rowOf#': rowsOnce(rows),
      'out*': { length: 2 * rows * gateStride, draw: () => 0, written: true },
    }),
    relative: 1e-6,
    scale: absolute,
  },
  layerNorm: {
    scalars: fc.record({ rows: small, columns: positive, epsilon: float(0.1, 1) }),
    large: { rows: 401, columns: 123, epsilon: 1e-5 },
    arrays: ({ rows, columns }) => ({
      'x*': { length: rows * columns, draw: normal() },
      'gain*': { length: columns, draw: normal() },
      'bias*': { length: columns, draw: normal() },
      'out*': { length: rows * columns, written: true },
      'moments*': { length: 2 * rows, written: true },
    }),
    relative: 2e-6,
    absolute: 5e-6,
  },
  layerNormInputs: {
    scalars: fc.record({ rows: small, columns: positive }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'x*': { length: rows * columns, draw: normal() },
      'gain*': { length: columns, draw: normal() },
      'moments*': { length: 2 * rows, draw: uniform },
      'dy*': { length: rows * columns, draw: normal() },
      'dx*': { length: rows * columns, written: true },
    }),
    relative: 2e-6,
    absolute: 5e-6,
  },
  layerNormGain: {
    scalars: fc.record({ rows: small, columns: size }),
    large: { rows: 401, columns: 123 },
    arrays: ({ rows, columns }) => ({
      'x*': { length: rows * columns, draw: normal() },
      'moments*': { length: 2 * rows, draw: uniform },
      'dy*': { length: rows * columns, draw: normal() },
      'out*': { length: columns, written: true },
    }),
    relative: 2e-6,
    absolute: 2e-5,
  },
  dropElements: {
    scalars: fc.record({ n: size, drop: float(0, 0.9) }),
    large: { n: MANY, drop: 0.25 },
    arrays: ({ n }) => ({
      'x*': { length: n, draw: normal() },
      'u*': { length: n, draw: uniform },
      'out*': { length: n, written: true },
    }),
    relative: 2e-7,
  },
  pool: {
    scalars: pictures,
    large: LARGE_PICTURES,
    arrays: (scalars) => ({
      'x*': { length: pixelsOf(scalars), draw: normal() },
      'y*': { length: pooledOf(scalars), written: true },
    }),
    relative: 1e-6,
    absolute: 1e-6,
  },
  poolPullback: {
    scalars: pictures,
    large: LARGE_PICTURES,
    arrays: (scalars) => ({
      'x*': { length: pixelsOf(scalars), draw: normal() },
      'dy*': { length: pooledOf(scalars), draw: normal() },
      'dx*': { length: pixelsOf(scalars), written: true },
    }),
    relative: 1e-6,
    absolute: 1e-6,
  },
  patches: {
    scalars: padded,
    large: LARGE_WINDOWS,
    arrays: (scalars) => ({
      'x*': { length: pixelsOf(scalars), draw: normal() },
      'out*': { length: windowsOf(scalars) * scalars.sizeY * scalars.sizeX * scalars.channels, written: true },
    }),
    relative: 0,
    absolute: 0,
  },
  patchesPullback: {
    scalars: padded,
    large: LARGE_WINDOWS,
    arrays: (scalars) => ({
      'patches*': { length: windowsOf(scalars) * scalars.sizeY * scalars.sizeX * scalars.channels, draw: normal() },
      'dx*': { length: pixelsOf(scalars), written: true },
    }),
    relative: 2e-6,
    absolute: 2e-6,
  },
  depthwise: {
    scalars: padded,
    large: LARGE_WINDOWS,
    arrays: (scalars) => ({
      'x*': { length: pixelsOf(scalars), draw: normal() },
      'weights*': { length: scalars.sizeY * scalars.sizeX * scalars.channels, draw: normal() },
      'bias*': { length: scalars.channels, draw: normal() },
      'y*': { length: windowsOf(scalars) * scalars.channels, written: true },
    }),
    relative: 2e-6,
    absolute: 2e-6,
  },
  depthwiseInputs: {
    scalars: padded,
    large: LARGE_WINDOWS,
    arrays: (scalars) => ({
      'dy*': { length: windowsOf(scalars) * scalars.channels, draw: normal() },
      'weights*': { length: scalars.sizeY * scalars.sizeX * scalars.channels, draw: normal() },
      'dx*': { length: pixelsOf(scalars), written: true },
    }),
    relative: 2e-6,
    absolute: 2e-6,
  },
  depthwiseWeights: {
    scalars: padded,
    large: LARGE_WINDOWS,
    arrays: (scalars) => ({
      'x*': { length: pixelsOf(scalars), draw: normal() },
      'dy*': { length: windowsOf(scalars) * scalars.channels, draw: normal() },
      'dWeights*': { length: scalars.sizeY * scalars.sizeX * scalars.channels, written: true },
    }),
    relative: 2e-6,
    scale: absolute,
  },
  packLeft: product,
  matmulPacked: product,
  matmulFewRows: fewProduct('rows'),
  matmulFewRowsTransposed: fewProduct('transposed'),
  matmulFewSteps: fewProduct('steps'),
  perturb: {
    scalars: fc.record({ n: size }),
    large: { n: MANY },
    arrays: ({ n }) => ({
      'mean*': { length: n, draw: normal() },
      'deviation*': { length: n, draw: uniform },
      'u*': { length: n, draw: uniform },
      'out*': { length: n, written: true },
    }),
    // Φ⁻¹ may cancel the mean.
    relative: 2e-6,
    absolute: 3e-6,
  },
  addMoments: {
    scalars: fc.record({ n: size }),
    large: { n: MANY },
    arrays: ({ n }) => ({
      'g*': { length: n, draw: wide },
      'sums*': { length: n, draw: wide, written: true },
      'squares*': { length: n, draw: (random, i) => wide(random, i) ** 2, written: true },
    }),
    relative: 1.3e-7,
    scale: absolute,
  },
  spread: {
    scalars: fc.record({ n: size }),
    large: { n: MANY },
    arrays: ({ n }) => ({
      'logVariance*': { length: n, draw: normal(8) },
      'variance*': { length: n, written: true },
      'deviation*': { length: n, written: true },
    }),
    relative: 4e-7,
  },
  descriptionLength: {
    scalars: fc.record({
      n: size,
      share: float(1e-5, 1),
      priorMean: float(-1, 1),
      priorVariance: float(1e-3, 10),
    }),
    large: { n: MANY, share: Math.fround(1e-3), priorMean: Math.fround(0.01), priorVariance: Math.fround(0.1) },
    arrays: ({ n }) => ({
      'mean*': { length: n, draw: normal() },
      'variance*': { length: n, draw: uniform },
      'sums*': { length: n, draw: normal() },
      'squares*': { length: n, draw: (random) => random.normal() ** 2 },
      'dMean*': { length: n, written: true },
      'dLogVariance*': { length: n, written: true },
    }),
    relative: 1e-6,
    // Rounding before what cancels: means are up to about 4, a variance over the prior's up to 1/priorVariance.
    absoluteOf: (_result, { share, priorVariance }) => 1e-6 * (share * (1 + 1 / priorVariance) + 1e-6),
  },
  ...blockCases,
  ...sequenceCases,
  ...stridedCases,
  ...axisCases,
} satisfies { [N in Exclude<KernelName, 'buildMask' | 'countOpen'>]: CaseOf<N> };
