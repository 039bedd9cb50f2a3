import { packedLeftSize } from '../kernels/matmul.ts';
import type { Engine } from './engine.ts';
import type { Tensor } from './tensor.ts';

/** A matrix in memory: element (i, j) stands i·rowStride + j·columnStride elements after the pointer. */
export interface Operand {
  readonly pointer: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

export interface ProductShape {
  /** Rows of a and of the output. */
  readonly m: number;
  /** Columns of b and of the output. */
  readonly n: number;
  /** Columns of a, rows of b. */
  readonly k: number;
  /** Added to every row; not with `accumulate`. */
  readonly bias?: Tensor | undefined;
  /** Add to the output in place of replacing it. */
  readonly accumulate?: boolean;
}

/** Products smaller than this many multiply-adds are not worth the way to BLAS. */
const LEAST_FOR_BLAS = 1 << 15;

/** output (m×n) = (accumulate ? output : bias or 0) + a (m×k) · b (k×n) */
export function multiplyMatrices(engine: Engine, a: Operand, b: Operand, output: Tensor, shape: ProductShape): void {
  const { m, n, k, bias, accumulate = false } = shape;
  if (engine.backend.gemm && m * n * k >= LEAST_FOR_BLAS && blasStride(a) && blasStride(b)) {
    multiplyByBlas(engine, a, b, output, shape);
    return;
  }
  const packed = engine.allocate([packedLeftSize(m, k)], 'a packed matrix').pointer;
  engine.backend.run('packLeft', a.pointer, packed, m, k, a.rowStride, a.columnStride);
  const [left, right] = [packed, b.pointer];
  const tail = [b.rowStride, b.columnStride, n, bias?.pointer ?? 0, accumulate ? 1 : 0] as const;
  engine.backend.run('matmulPacked', left, right, output.pointer, m, n, k, ...tail);
}

/** BLAS wants one of the strides to be 1. */
function blasStride({ rowStride, columnStride }: Operand): boolean {
  return rowStride === 1 || columnStride === 1;
}

function multiplyByBlas(engine: Engine, a: Operand, b: Operand, output: Tensor, shape: ProductShape): void {
  const { m, n, k, bias, accumulate = false } = shape;
  const transposeA = a.columnStride !== 1;
  const transposeB = b.columnStride !== 1;
  engine.backend.gemm?.({
    transposeA,
    transposeB,
    m,
    n,
    k,
    a: a.pointer,
    lda: Math.max(1, transposeA ? a.columnStride : a.rowStride),
    b: b.pointer,
    ldb: Math.max(1, transposeB ? b.columnStride : b.rowStride),
    beta: accumulate ? 1 : 0,
    c: output.pointer,
    ldc: n,
  });
  if (bias && !accumulate) engine.backend.run('addBias', output.pointer, bias.pointer, output.pointer, m, n);
}
