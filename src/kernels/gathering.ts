/**
 * Rows on their way to BLAS and back: products of open blocks by BLAS (see backend/blas-blocks.ts) want them side by side.
 * rowOf# lists `rows` rows of a matrix whose rows are `stride` elements apart.
 *
 *     gatherRows(x*, rowOf#, out*, rows, columns, stride)
 *     transposeRows(x*, out*, rows, columns)
 *     addTransposedRows(x*, rowOf#, y*, rows, columns, stride)
 */
import { kernel } from './kernel.ts';
import { rowGrain } from './rows.ts';

/** out[n, c] = x[rowOf[n], c]. Items are listed rows. */
export const gatherRows = kernel({
  parameters: ['x*', 'rowOf#', 'out*', 'rows', 'columns', 'stride'],
  items: (_x, _rowOf, _out, rows) => rows,
  grain: (_x, _rowOf, _out, _rows, columns) => rowGrain(columns),
  define(memory, x, rowOf, out, rows, columns, stride) {
    for (let n = 0; n < rows; n++) {
      const from = x + memory[rowOf + n] * stride;
      memory.copyWithin(out + n * columns, from, from + columns);
    }
  },
});

/** out[c, n] = x[n, c], for x of rows × columns. Items are columns. */
export const transposeRows = kernel({
  parameters: ['x*', 'out*', 'rows', 'columns'],
  items: (_x, _out, _rows, columns) => columns,
  grain: (_x, _out, rows) => rowGrain(rows),
  define(memory, x, out, rows, columns) {
    for (let n = 0; n < rows; n++)
      for (let c = 0; c < columns; c++) memory[out + c * rows + n] = memory[x + n * columns + c];
  },
});

/** y[rowOf[n], c] += x[c, n], for x of columns × rows; no row of y is listed twice. Items are listed rows. */
export const addTransposedRows = kernel({
  parameters: ['x*', 'rowOf#', 'y*', 'rows', 'columns', 'stride'],
  items: (_x, _rowOf, _y, rows) => rows,
  grain: (_x, _rowOf, _y, _rows, columns) => rowGrain(columns),
  define(memory, x, rowOf, y, rows, columns, stride) {
    for (let n = 0; n < rows; n++)
      for (let c = 0; c < columns; c++) memory[y + memory[rowOf + n] * stride + c] += memory[x + c * rows + n];
  },
});
