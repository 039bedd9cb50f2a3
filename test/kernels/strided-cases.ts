import fc from 'fast-check';
import type { Engine } from '../../src/backend/engine.ts';
import { REDUCTIONS } from '../../src/kernels/axes.ts';
import { MAPS } from '../../src/kernels/maps.ts';
import { COMBINATIONS, THREES } from '../../src/kernels/strided.ts';
import { type Draw, normal, uniform, wide } from '../helpers/numbers.ts';
import type { Case } from './cases.ts';

export type StridedKernelName = 'combine' | 'combineThree' | 'copyStrided';

const few = fc.constantFrom(0, 1, 2, 3, 5);
const columns = fc.constantFrom(0, 1, 3, 4, 5, 16, 17, 35);
/** Which of three dimensions an operand has: bits. */
const dimensions = fc.nat(7);

/** Row-major strides of an operand that has only some of three dimensions, and how many elements it has. */
function placesOf(extents: readonly number[], has: number): { strides: number[]; length: number } {
  let length = 1;
  const strides = [0, 0, 0];
  for (let d = 2; d >= 0; d--)
    if ((has >> d) & 1) {
      strides[d] = extents[2] === 0 && d < 2 ? 0 : length;
      length *= extents[d];
    }
  return { strides, length };
}

/** Extents and strides of the dimensions before the last, on the heap. */
function dimsOnHeap({ backend: { heap } }: Engine, ...lists: readonly number[][]): number {
  const values = lists.flatMap((list) => list.slice(0, 2));
  const pointer = heap.allocate(values.length, 'dims');
  heap.memory.integers(pointer, values.length).set(values);
  return pointer;
}

const extentsOf = ({ d0, d1, columns: last }: Record<string, number>): number[] => [d0, d1, last];
const positive: Draw = (random) => 0.25 + 2 * random.uniform();
const digit: Draw = (random) => random.integer(3) - 1;
const someZeros: Draw = (random) => (random.uniform() < 0.2 ? 0 : random.normal());

/** Targets, and logarithms of which none is of probability 0 unless its target may be 0: then the product is ∞, of both kernel and definition. */
const share: Draw = (random) => (random.uniform() < 0.5 ? 0 : random.uniform());
const masked: Draw = (random) => (random.uniform() < 0.3 ? Number.NEGATIVE_INFINITY : random.normal());

const twoNames = Object.keys(COMBINATIONS);
const DRAWS: Partial<Record<keyof typeof COMBINATIONS, readonly [Draw, Draw]>> = {
  power: [positive, normal(2)],
  greater: [digit, digit],
  greaterEqual: [digit, digit],
  equal: [digit, digit],
  notEqual: [digit, digit],
  keep: [digit, wide],
  drop: [digit, wide],
  weighed: [share, masked],
};

const threeNames = Object.keys(THREES);
const THREE_DRAWS: Record<keyof typeof THREES, readonly [Draw, Draw, Draw]> = {
  where: [digit, wide, wide],
  quotientSlope: [wide, positive, wide],
  powerSlope: [positive, someZeros, normal()],
  exponentSlope: [(random) => (random.uniform() < 0.1 ? 0 : 0.3 + random.uniform() / 2), positive, normal()],
  greaterShare: [digit, digit, wide],
  squaredSlope: [wide, wide, wide],
  absoluteSlope: [digit, digit, wide],
  huber: [normal(), normal(), normal()],
  huberSlope: [normal(), normal(), normal()],
  softmaxSlope: [uniform, normal(), normal()],
  logSoftmaxSlope: [(random) => -Math.abs(3 * random.normal()), normal(), normal()],
  shareOfSum: [normal(), normal(), normal()],
  weighedSlope: [share, masked, normal()],
};

export const stridedCases: Record<StridedKernelName, Case> = {
  combine: {
    scalars: fc.record({
      d0: few,
      d1: few,
      columns,
      a: dimensions,
      b: dimensions,
      operation: fc.nat(twoNames.length - 1),
    }),
    large: { d0: 3, d1: 2, columns: 16391, a: 7, b: 6, operation: 2 },
    arrays(scalars) {
      const extents = extentsOf(scalars);
      const [a, b] = DRAWS[twoNames[scalars.operation] as keyof typeof COMBINATIONS] ?? [wide, wide];
      return {
        'a*': { length: placesOf(extents, scalars.a).length, draw: a },
        'b*': { length: placesOf(extents, scalars.b).length, draw: b },
        'out*': { length: extents[0] * extents[1] * extents[2], written: true },
      };
    },
    relative: 3e-7,
    absolute: 1e-37,
    call(engine, pointers, scalars) {
      const extents = extentsOf(scalars);
      const [a, b] = [scalars.a, scalars.b].map((has) => placesOf(extents, has).strides);
      const arrays = [pointers['a*'], pointers['b*'], dimsOnHeap(engine, extents, a, b), pointers['out*']] as const;
      const counts = [2, extents[0] * extents[1], extents[2], a[2], b[2]] as const;
      engine.backend.run('combine', ...arrays, ...counts, scalars.operation);
    },
  },
  combineThree: {
    scalars: fc.record({
      d0: few,
      d1: few,
      columns,
      a: dimensions,
      b: dimensions,
      c: dimensions,
      operation: fc.nat(threeNames.length - 1),
      p: fc.constantFrom(0.5, 1, 2),
    }),
    large: { d0: 3, d1: 2, columns: 16391, a: 7, b: 6, c: 1, operation: 9, p: 1 },
    arrays(scalars) {
      const extents = extentsOf(scalars);
      const draws = THREE_DRAWS[threeNames[scalars.operation] as keyof typeof THREES];
      return {
        'a*': { length: placesOf(extents, scalars.a).length, draw: draws[0] },
        'b*': { length: placesOf(extents, scalars.b).length, draw: draws[1] },
        'c*': { length: placesOf(extents, scalars.c).length, draw: draws[2] },
        'out*': { length: extents[0] * extents[1] * extents[2], written: true },
      };
    },
    // b − 1 in an exponent is rounded, and the difference in LogSoftmaxSlope cancels.
    relative: 1.5e-6,
    absolute: 5e-7,
    call(engine, pointers, scalars) {
      const extents = extentsOf(scalars);
      const [a, b, c] = [scalars.a, scalars.b, scalars.c].map((has) => placesOf(extents, has).strides);
      const arrays = [pointers['a*'], pointers['b*'], pointers['c*']] as const;
      const counts = [2, extents[0] * extents[1], extents[2], a[2], b[2], c[2]] as const;
      const dims = dimsOnHeap(engine, extents, a, b, c);
      engine.backend.run('combineThree', ...arrays, dims, pointers['out*'], ...counts, scalars.operation, scalars.p);
    },
  },
  copyStrided: {
    // x: [d0, columns, d1] seen as [d0, d1, columns], or broadcast; out: a window of rows with gaps.
    scalars: fc.record({ d0: few, d1: few, columns, transposed: fc.nat(1), gap: fc.nat(3) }),
    large: { d0: 3, d1: 2, columns: 16391, transposed: 1, gap: 1 },
    arrays(scalars) {
      const [d0, d1, last] = extentsOf(scalars);
      const length = d0 * d1 * (last + scalars.gap);
      return {
        'x*': { length: d0 * d1 * last, draw: wide },
        // What stands between the rows must stay.
        'out*': { length, draw: wide, written: true },
      };
    },
    relative: 0,
    call(engine, pointers, scalars) {
      const [d0, d1, last] = extentsOf(scalars);
      const { transposed, gap } = scalars;
      const from = transposed ? [d1 * last, 1] : [d1 * last, last];
      const dims = dimsOnHeap(engine, [d0, d1], from, [d1 * (last + gap), last + gap]);
      const counts = [2, d0 * d1, last, transposed ? d1 : 1, 1] as const;
      engine.backend.run('copyStrided', pointers['x*'], dims, pointers['out*'], ...counts);
    },
  },
};

const size = fc.constantFrom(0, 1, 3, 4, 5, 16, 17, 64, 131);
const bounds = { p: fc.constantFrom(-1.5, 0), q: fc.constantFrom(0.25, 2) };
const mapDraw = (operation: number): Draw => {
  const { name } = MAPS[operation];
  if (name === 'log') return (random, i) => Math.abs(wide(random, i));
  if (name === 'sqrt') return (random) => random.uniform() * 100;
  if (name === 'abs' || name === 'square') return wide;
  return normal(3);
};
const mapOperation = fc.nat(MAPS.length - 1);
const axis = fc.record({
  outer: fc.constantFrom(0, 1, 2, 5),
  extent: fc.constantFrom(1, 2, 3, 4, 17, 40),
  inner: fc.constantFrom(0, 1, 2, 4, 16, 19, 35),
});
const extentFrom0 = fc.constantFrom(0, 1, 2, 4, 17, 40);

/** Kernels of maps and axes, called with their own arguments. */
export const axisCases = {
  mapElements: {
    scalars: fc.record({ n: size, operation: mapOperation, ...bounds }),
    large: { n: 2 * 16384 + 3, operation: 8, p: 0, q: 0 },
    arrays: ({ n, operation }: Record<'n' | 'operation', number>) => ({
      'x*': { length: n, draw: mapDraw(operation) },
      'out*': { length: n, written: true as const },
    }),
    relative: 5e-7,
    absolute: 1e-37,
  },
  mapSlopes: {
    scalars: fc.record({ n: size, operation: mapOperation, ...bounds }),
    large: { n: 2 * 16384 + 3, operation: 7, p: 0, q: 0 },
    arrays: ({ n, operation }: Record<'n' | 'operation', number>) => ({
      'x*': { length: n, draw: mapDraw(operation) },
      'dy*': { length: n, draw: normal() },
      'out*': { length: n, written: true as const },
    }),
    // e^−|2x| of the tanh's slope: the exponent is rounded.
    relative: 2e-6,
    absolute: 1e-37,
  },
  reduceAxis: {
    scalars: fc
      .tuple(axis, extentFrom0, fc.nat(Object.keys(REDUCTIONS).length - 1))
      .map(([shape, extent, operation]) => ({ ...shape, extent, operation })),
    large: { outer: 41, extent: 1001, inner: 3, operation: 0 },
    arrays: ({ outer, extent, inner }: Record<'outer' | 'extent' | 'inner', number>) => ({
      'x*': { length: outer * extent * inner, draw: normal(3) },
      'out*': { length: outer * inner, written: true as const },
    }),
    relative: 2e-6,
    absolute: 4e-6,
    scale: <S>(scalars: S): S => scalars,
  },
  softmaxAxis: {
    scalars: fc.tuple(axis, fc.nat(1)).map(([shape, logarithm]) => ({ ...shape, logarithm })),
    large: { outer: 401, extent: 11, inner: 5, logarithm: 0 },
    arrays: ({ outer, extent, inner }: Record<'outer' | 'extent' | 'inner', number>) => ({
      'x*': { length: outer * extent * inner, draw: normal(4) },
      'out*': { length: outer * extent * inner, written: true as const },
    }),
    // The largest is taken off the others, up to about 30 apart: that rounding is an absolute error of the exponent.
    relative: 4e-6,
    absolute: 1e-6,
  },
  scatterAddRows: {
    scalars: fc.record({ rows: fc.constantFrom(0, 1, 3, 20), columns: size }),
    large: { rows: 301, columns: 123 },
    arrays: ({ rows, columns: n }: Record<'rows' | 'columns', number>) => ({
      'x*': { length: rows * n, draw: wide },
      'rowOf#': { length: rows, draw: ((random) => random.integer(5)) as Draw, integers: true as const },
      'out*': { length: 5 * n, draw: wide, written: true as const },
    }),
    relative: 1e-6,
    scale: <S>(scalars: S): S => scalars,
  },
};
