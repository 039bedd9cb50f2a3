/**
 * Matrix products C (m×n) = (accumulate ? C : bias row or 0) + A (m×k) · B (k×n) that packing would not pay for, since m or k is
 * small: matrices are read where they stand. Sums have the order that they have in matmulPacked, so that the bits are the same.
 *
 *     matmulFewRows(a*, b*, c*, m, n, k, aRow, bRow, cRow, bias*, accumulate)                 rows of A and of B are contiguous
 *     matmulFewRowsTransposed(a*, b*, c*, m, n, k, aRow, bColumn, cRow, bias*, accumulate)    rows of A and columns of B are
 *     matmulFewSteps(a*, b*, c*, m, n, k, aColumn, bRow, cRow, accumulate)                    columns of A and rows of B are
 *
 * Strides count elements; rows of C are contiguous. m (of the last: k) is at most
 * MOST_FEW; everything may be 0. C must not overlap the inputs.
 * The constants are those of assembly/matmul-few.ts: both sides must agree on the items.
 */
import { slabHeight } from './blocks-from-dense.ts';
import { productGrain } from './blocks-mask.ts';
import { kernel } from './kernel.ts';

const PANEL = 64;
/** Rows, or steps, that a list has room for (MOST_ENTRIES of assembly/blocks-rows.ts). */
export const MOST_FEW = 8192;

function define(
  memory: Float64Array,
  [m, n, k]: readonly [number, number, number],
  c: number,
  cRow: number,
  bias: number,
  accumulate: number,
  product: (i: number, j: number, p: number) => number,
): void {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const at = c + i * cRow + j;
      let sum = accumulate ? memory[at] : bias ? memory[bias + j] : 0;
      for (let p = 0; p < k; p++) sum += product(i, j, p);
      memory[at] = sum;
    }
}

/** An item is a panel of columns of C. */
export const matmulFewRows = kernel({
  parameters: ['a*', 'b*', 'c*', 'm', 'n', 'k', 'aRow', 'bRow', 'cRow', 'bias*', 'accumulate'],
  items: (_a, _b, _c, m, n) => (m === 0 ? 0 : Math.ceil(n / PANEL)),
  grain: (_a, _b, _c, m, n, k) => productGrain(Math.ceil(n / PANEL), m * n * k),
  define(memory, a, b, c, m, n, k, aRow, bRow, cRow, bias, accumulate) {
    define(
      memory,
      [m, n, k],
      c,
      cRow,
      bias,
      accumulate,
      (i, j, p) => memory[a + i * aRow + p] * memory[b + p * bRow + j],
    );
  },
});

/** An item is a panel of columns of C. */
export const matmulFewRowsTransposed = kernel({
  parameters: ['a*', 'b*', 'c*', 'm', 'n', 'k', 'aRow', 'bColumn', 'cRow', 'bias*', 'accumulate'],
  items: (_a, _b, _c, m, n) => (m === 0 ? 0 : Math.ceil(n / PANEL)),
  grain: (_a, _b, _c, m, n, k) => productGrain(Math.ceil(n / PANEL), m * n * k),
  define(memory, a, b, c, m, n, k, aRow, bColumn, cRow, bias, accumulate) {
    define(
      memory,
      [m, n, k],
      c,
      cRow,
      bias,
      accumulate,
      (i, j, p) => memory[a + i * aRow + p] * memory[b + j * bColumn + p],
    );
  },
});

/** An item is a slab of rows of C. */
export const matmulFewSteps = kernel({
  parameters: ['a*', 'b*', 'c*', 'm', 'n', 'k', 'aColumn', 'bRow', 'cRow', 'accumulate'],
  items: (_a, _b, _c, m, n) => (n === 0 ? 0 : Math.ceil(m / slabHeight(n))),
  grain: (_a, _b, _c, m, n, k) => productGrain(Math.ceil(m / slabHeight(n)), m * n * (k + 1)),
  define(memory, a, b, c, m, n, k, aColumn, bRow, cRow, accumulate) {
    define(
      memory,
      [m, n, k],
      c,
      cRow,
      0,
      accumulate,
      (i, j, p) => memory[a + p * aColumn + i] * memory[b + p * bRow + j],
    );
  },
});
