/** Reductions and softmax along one axis: an array of outer × extent × inner elements. */
import { kernel } from './kernel.ts';
import { COLUMN_GROUP, rowGrain } from './rows.ts';

/** Work items: rows where inner is 1, else groups of columns of every outer index. */
const itemsOf = (outer: number, inner: number): number => outer * (inner === 1 ? 1 : Math.ceil(inner / COLUMN_GROUP));
const grainOf = (extent: number, inner: number): number => rowGrain(extent * Math.min(inner, COLUMN_GROUP));

type Reduction = (values: Float64Array) => number;
/** In the order of `reduceAxis` in assembly/axes.ts. */
export const REDUCTIONS = {
  sum: (values) => values.reduce((sum, x) => sum + x, 0),
  max: (values) => values.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY),
  logSumExp: (values) => {
    const most = values.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);
    return Number.isFinite(most) ? most + Math.log(values.reduce((sum, x) => sum + Math.exp(x - most), 0)) : most;
  },
} as const satisfies Record<string, Reduction>;
export type ReductionName = keyof typeof REDUCTIONS;
const reductions: readonly Reduction[] = Object.values(REDUCTIONS);

/** out[o, i] = reduction over k of x[o, k, i] */
export const reduceAxis = kernel({
  parameters: ['x*', 'out*', 'outer', 'extent', 'inner', 'operation'],
  items: (_x, _out, outer, _extent, inner) => itemsOf(outer, inner),
  grain: (_x, _out, _outer, extent, inner, operation) => grainOf(extent * (operation === 2 ? 4 : 1), inner),
  define(memory, x, out, outer, extent, inner, operation) {
    const reduce = reductions[operation];
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++)
        memory[out + o * inner + i] = reduce(axisOf(memory, x + o * extent * inner + i, extent, inner));
  },
});

/** out[o, ·, i] = softmax of x[o, ·, i], or its logarithm */
export const softmaxAxis = kernel({
  parameters: ['x*', 'out*', 'outer', 'extent', 'inner', 'logarithm'],
  items: (_x, _out, outer, _extent, inner) => itemsOf(outer, inner),
  grain: (_x, _out, _outer, extent, inner) => grainOf(4 * extent, inner),
  define(memory, x, out, outer, extent, inner, logarithm) {
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        const at = o * extent * inner + i;
        const values = axisOf(memory, x + at, extent, inner);
        const logSum = REDUCTIONS.logSumExp(values);
        values.forEach((value, k) => {
          memory[out + at + k * inner] = logarithm ? value - logSum : Math.exp(value - logSum);
        });
      }
  },
});

const axisOf = (memory: Float64Array, first: number, extent: number, step: number): Float64Array =>
  Float64Array.from({ length: extent }, (_, k) => memory[first + k * step]);

/** out[rowOf[n], c] += x[n, c]; a row may be named often */
export const scatterAddRows = kernel({
  parameters: ['x*', 'rowOf#', 'out*', 'rows', 'columns'],
  items: (_x, _rowOf, _out, _rows, columns) => Math.ceil(columns / COLUMN_GROUP),
  grain: (_x, _rowOf, _out, rows) => rowGrain(COLUMN_GROUP * rows),
  define(memory, x, rowOf, out, rows, columns) {
    for (let n = 0; n < rows; n++)
      for (let c = 0; c < columns; c++) memory[out + memory[rowOf + n] * columns + c] += memory[x + n * columns + c];
  },
});
