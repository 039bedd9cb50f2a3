import { packedLeftSize } from '../kernels/matmul.ts';
import type { Engine } from './engine.ts';
import type { Tensor } from './tensor.ts';

/** A matrix in memory: element (i, j) stands i·rowStride + j·columnStride elements after the pointer. */
export interface Operand {
  readonly pointer: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** output (m×n) = (accumulate ? output : bias or 0) + a (m×k) · b (k×n) */
export function multiplyMatrices(
  engine: Engine,
  a: Operand,
  b: Operand,
  output: Tensor,
  {
    m,
    n,
    k,
    bias,
    accumulate = false,
  }: {
    m: number;
    n: number;
    k: number;
    bias?: Tensor | undefined;
    accumulate?: boolean;
  },
): void {
  const packed = engine.allocate([packedLeftSize(m, k)], 'a packed matrix').pointer;
  engine.backend.run('packLeft', a.pointer, packed, m, k, a.rowStride, a.columnStride);
  engine.backend.run(
    'matmulPacked',
    packed,
    b.pointer,
    output.pointer,
    m,
    n,
    k,
    b.rowStride,
    b.columnStride,
    n,
    bias?.pointer ?? 0,
    accumulate ? 1 : 0,
  );
}
