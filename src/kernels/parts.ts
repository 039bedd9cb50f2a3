/**
 * Parts behind gates: the outputs of a part for the rows that opened it (`rows` of `columns` elements, side by side) and the rows that they
 * belong to. rowOf# lists these, none twice; 0 in its place: all rows in order. Gates are `gateStride` elements apart from row to row, rows of the whole
 * `stride`.
 */
import { kernel } from './kernel.ts';
import { rowGrain } from './rows.ts';

const placeOf = (memory: Float64Array, rowOf: number, n: number): number => (rowOf === 0 ? n : memory[rowOf + n]);

/** out[rowOf[n], c] += gates[rowOf[n]]·values[n, c]. Items are listed rows. */
export const addGatedRows = kernel({
  parameters: ['values*', 'gates*', 'rowOf#', 'out*', 'rows', 'columns', 'gateStride', 'stride'],
  items: (_values, _gates, _rowOf, _out, rows) => rows,
  grain: (_values, _gates, _rowOf, _out, _rows, columns) => rowGrain(columns),
  define(memory, values, gates, rowOf, out, rows, columns, gateStride, stride) {
    for (let n = 0; n < rows; n++) {
      const row = placeOf(memory, rowOf, n);
      const gate = memory[gates + row * gateStride];
      for (let c = 0; c < columns; c++) memory[out + row * stride + c] += gate * memory[values + n * columns + c];
    }
  },
});

/** out[n, c] = gates[rowOf[n]]·dy[rowOf[n], c]. Items are listed rows. */
export const gatedRowsValues = kernel({
  parameters: ['dy*', 'gates*', 'rowOf#', 'out*', 'rows', 'columns', 'gateStride', 'stride'],
  items: (_dy, _gates, _rowOf, _out, rows) => rows,
  grain: (_dy, _gates, _rowOf, _out, _rows, columns) => rowGrain(columns),
  define(memory, dy, gates, rowOf, out, rows, columns, gateStride, stride) {
    for (let n = 0; n < rows; n++) {
      const row = placeOf(memory, rowOf, n);
      const gate = memory[gates + row * gateStride];
      for (let c = 0; c < columns; c++) memory[out + n * columns + c] = gate * memory[dy + row * stride + c];
    }
  },
});

/** out[rowOf[n]] = Σ_c values[n, c]·dy[rowOf[n], c], rows of out `gateStride` apart. Items are listed rows. */
export const gatedRowsGates = kernel({
  parameters: ['values*', 'dy*', 'rowOf#', 'out*', 'rows', 'columns', 'gateStride', 'stride'],
  items: (_values, _dy, _rowOf, _out, rows) => rows,
  grain: (_values, _dy, _rowOf, _out, _rows, columns) => rowGrain(columns),
  define(memory, values, dy, rowOf, out, rows, columns, gateStride, stride) {
    for (let n = 0; n < rows; n++) {
      const row = placeOf(memory, rowOf, n);
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += memory[values + n * columns + c] * memory[dy + row * stride + c];
      memory[out + row * gateStride] = sum;
    }
  },
});
