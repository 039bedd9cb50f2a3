import { packedLeftSize } from '../kernels/matmul.ts';
import type { Engine } from './engine.ts';

/** A matrix in memory: element (i, j) stands i·rowStride + j·columnStride elements after the pointer. */
export interface Operand {
  readonly pointer: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** Where a product goes: rows of contiguous elements. */
export interface Target {
  readonly pointer: number;
  readonly rowStride: number;
}

export interface ProductShape {
  /** Rows of a and of the output. */
  readonly m: number;
  /** Columns of b and of the output. */
  readonly n: number;
  /** Columns of a, rows of b. */
  readonly k: number;
  /** Pointer to a row of n that is added to every row; 0 is none. Not with `accumulate`. */
  readonly bias?: number;
  /** Add to the output in place of replacing it. */
  readonly accumulate?: boolean;
}

/** Several products of one shape: the distances, in elements, from one to the next. */
export interface Batch {
  readonly count: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly bias: number;
}

const ONE: Batch = { count: 1, a: 0, b: 0, c: 0, bias: 0 };

/** Products smaller than this many multiply-adds are not worth the way to BLAS; nor is one row, with which OpenBLAS is two to five times slower. */
const LEAST_FOR_BLAS = 1 << 15;
const LEAST_ROWS_FOR_BLAS = 2;

/** c (m×n) = (accumulate ? c : bias or 0) + a (m×k) · b (k×n), once or for a batch of products with outputs of their own. */
export function multiplyMatrices(
  engine: Engine,
  a: Operand,
  b: Operand,
  c: Target,
  shape: ProductShape,
  batch: Batch = ONE,
): void {
  const { m, n, k } = shape;
  const large = m >= LEAST_ROWS_FOR_BLAS && m * n * k >= LEAST_FOR_BLAS;
  if (engine.backend.gemm && large && blasStride(a) && blasStride(b)) multiplyByBlas(engine, a, b, c, shape, batch);
  else multiplyByKernels(engine, a, b, c, shape, batch);
}

/** Up to this many rows, rows of a product with a transpose, or steps of the depth, products are made without packing: faster, and the same bits. */
const FEW_ROWS = 8;
const FEW_ROWS_TRANSPOSED = 2;
const FEW_STEPS = 8;

/** The kernel for a small product without packing, and the strides that it takes; undefined where packing is faster. */
function unpacked(a: Operand, b: Operand, { m, k, bias = 0 }: ProductShape) {
  if (m <= FEW_ROWS && a.columnStride === 1 && b.columnStride === 1)
    return { name: 'matmulFewRows', left: a.rowStride, right: b.rowStride } as const;
  if (m <= FEW_ROWS_TRANSPOSED && a.columnStride === 1 && b.rowStride === 1)
    return { name: 'matmulFewRowsTransposed', left: a.rowStride, right: b.columnStride } as const;
  if (k <= FEW_STEPS && bias === 0 && a.rowStride === 1 && b.columnStride === 1)
    return { name: 'matmulFewSteps', left: a.columnStride, right: b.rowStride } as const;
  return undefined;
}

function multiplyByKernels(
  { backend }: Engine,
  a: Operand,
  b: Operand,
  c: Target,
  shape: ProductShape,
  batch: Batch,
): void {
  const { m, n, k, bias = 0, accumulate = false } = shape;
  const small = unpacked(a, b, shape);
  if (small) {
    const { name, left, right } = small;
    for (let i = 0; i < batch.count; i++) {
      const pointers = [a.pointer + 4 * i * batch.a, b.pointer + 4 * i * batch.b, c.pointer + 4 * i * batch.c] as const;
      const sizes = [m, n, k, left, right, c.rowStride] as const;
      const added = accumulate ? 1 : 0;
      if (name === 'matmulFewSteps') backend.run(name, ...pointers, ...sizes, added);
      else backend.run(name, ...pointers, ...sizes, bias === 0 ? 0 : bias + 4 * i * batch.bias, added);
    }
    return;
  }
  const packed = backend.heap.allocate(packedLeftSize(m, k), 'a packed matrix');
  for (let i = 0; i < batch.count; i++) {
    const at = (pointer: number, stride: number) => pointer + 4 * i * stride;
    if (i === 0 || batch.a !== 0)
      backend.run('packLeft', at(a.pointer, batch.a), packed, m, k, a.rowStride, a.columnStride);
    const [right, out] = [at(b.pointer, batch.b), at(c.pointer, batch.c)];
    const row = bias === 0 ? 0 : at(bias, batch.bias);
    const strides = [b.rowStride, b.columnStride, c.rowStride] as const;
    backend.run('matmulPacked', packed, right, out, m, n, k, ...strides, row, accumulate ? 1 : 0);
  }
}

/** BLAS wants one of the strides to be 1. */
function blasStride({ rowStride, columnStride }: Operand): boolean {
  return rowStride === 1 || columnStride === 1;
}

function multiplyByBlas(
  { backend }: Engine,
  a: Operand,
  b: Operand,
  c: Target,
  { m, n, k, bias = 0, accumulate = false }: ProductShape,
  batch: Batch,
): void {
  const transposeA = a.columnStride !== 1;
  const transposeB = b.columnStride !== 1;
  const beta = accumulate || bias !== 0 ? 1 : 0;
  // BLAS refuses a row stride below a row's length, even of a matrix of one row, whose own stride may be anything.
  if (bias !== 0 && !accumulate)
    for (let i = 0; i < batch.count; i++)
      backend.run('fillRows', bias + 4 * i * batch.bias, c.pointer + 4 * i * batch.c, m, n, c.rowStride);
  backend.gemm?.({
    transposeA,
    transposeB,
    m,
    n,
    k,
    beta,
    batch,
    a: a.pointer,
    lda: transposeA ? Math.max(m, a.columnStride) : Math.max(k, a.rowStride),
    b: b.pointer,
    ldb: transposeB ? Math.max(k, b.columnStride) : Math.max(n, b.rowStride),
    c: c.pointer,
    ldc: c.rowStride,
  });
}
