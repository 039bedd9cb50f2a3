/**
 * Matrix products: C (m×n) = (accumulate ? C : bias row or 0) + A (m×k) · B (k×n), in two calls.
 *
 *     packLeft(a*, packed*, m, k, aRow, aColumn)
 *     matmulPacked(packed*, b*, c*, m, n, k, bRow, bColumn, cRow, bias*, accumulate)
 *
 * - Element (i, p) of A is a[i·aRow + p·aColumn], element (p, j) of B is b[p·bRow + j·bColumn] and element (i, j) of C
 *   is c[i·cRow + j]; strides count elements and may be anything. Where one of a matrix's two strides is 1 (a matrix
 *   stored by rows, or its transpose) packing is fast.
 * - `packed` holds packedLeftSize(m, k) elements. It is read only, so several products may share it.
 * - `bias` points to n elements that are added to every row; 0 is no bias. It is ignored when `accumulate` is not 0.
 * - m, n and k may be 0. With k = 0 the product is zero, so C becomes the bias, or zeros, or stays.
 * - Pointers need the alignment of their elements only (4 bytes); 64 is best. C must not overlap the inputs.
 * - matmulPacked uses the first PACKED_RIGHT + 64 KiB of the thread's scratch memory (assembly/matmul.ts); packLeft none.
 *
 * The constants here are those of assembly/matmul.ts: both sides must agree on the layout and on the items.
 */
import { kernel } from './kernel.ts';

/** Rows of A in a packed panel. */
export const TILE_ROWS = 6;
/** Columns of C in one work item. */
const GROUP_COLUMNS = 32;
const ENOUGH_ITEMS = 16;
const LEAST_ROW_TILES = 8;
/** Elements moved, and multiplications done, in about five microseconds: the least that a thread is asked to take. */
const MOVES_EACH = 1 << 14;
const PRODUCTS_EACH = 1 << 17;

/** Elements of the packed form of an m×k matrix: whole panels of TILE_ROWS rows. */
export const packedLeftSize = (m: number, k: number): number => Math.ceil(m / TILE_ROWS) * TILE_ROWS * k;

/** packed[panel, p, row] = A[panel·TILE_ROWS + row, p], or 0 past the last row. An item is a panel. */
export const packLeft = kernel({
  parameters: ['a*', 'packed*', 'm', 'k', 'aRow', 'aColumn'],
  items: (_a, _packed, m) => Math.ceil(m / TILE_ROWS),
  grain: (_a, _packed, _m, k) => Math.max(1, Math.floor(MOVES_EACH / (TILE_ROWS * Math.max(1, k)))),
  define(memory, a, packed, m, k, aRow, aColumn) {
    for (let i = 0; i < Math.ceil(m / TILE_ROWS) * TILE_ROWS; i++)
      for (let p = 0; p < k; p++)
        memory[packedElement(packed, k, i, p)] = i < m ? memory[a + i * aRow + p * aColumn] : 0;
  },
});

/** C = (accumulate ? C : bias or 0) + A·B with A from packLeft. An item is a range of rows of a group of columns. */
export const matmulPacked = kernel({
  parameters: ['packed*', 'b*', 'c*', 'm', 'n', 'k', 'bRow', 'bColumn', 'cRow', 'bias*', 'accumulate'],
  items: (_packed, _b, _c, m, n) => (m === 0 ? 0 : Math.ceil(n / GROUP_COLUMNS) * rowItemsOf(m, n)),
  grain: (_packed, _b, _c, m, n, k) =>
    Math.max(1, Math.floor((PRODUCTS_EACH * rowItemsOf(m, n)) / (Math.max(1, m) * GROUP_COLUMNS * Math.max(1, k)))),
  define(memory, packed, b, c, m, n, k, bRow, bColumn, cRow, bias, accumulate) {
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = accumulate ? memory[c + i * cRow + j] : bias ? memory[bias + j] : 0;
        for (let p = 0; p < k; p++) sum += memory[packedElement(packed, k, i, p)] * memory[b + p * bRow + j * bColumn];
        memory[c + i * cRow + j] = sum;
      }
  },
});

/** Where element (i, p) of A stands in its packed form. */
const packedElement = (packed: number, k: number, i: number, p: number): number =>
  packed + (i - (i % TILE_ROWS)) * k + p * TILE_ROWS + (i % TILE_ROWS);

/** Into how many items the rows are divided: more than one only where there are few groups of columns. */
function rowItemsOf(m: number, n: number): number {
  const wanted = Math.ceil(ENOUGH_ITEMS / Math.max(1, Math.ceil(n / GROUP_COLUMNS)));
  return Math.min(wanted, Math.max(1, Math.floor(Math.ceil(m / TILE_ROWS) / LEAST_ROW_TILES)));
}
