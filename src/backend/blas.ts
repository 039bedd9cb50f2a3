import type { Sgemm } from './blas-block-tools.ts';
import { blockProductKernels } from './blas-blocks.ts';
import type { KernelTable, ThreadTools } from './pool.ts';

/** A BLAS library that a platform has found and loaded. */
export interface Blas {
  /** As it stands in run records, e.g. `openblas`. */
  readonly name: string;
  /** What another thread loads the same library by. */
  readonly library: string;
  /** The function for one thread and one memory. */
  sgemm(memory: WebAssembly.Memory): Sgemm;
}

/** Rows or columns of C in one part: the cut depends on shapes only, so that threads do not change the bits. */
export const GEMM_PART = 192;

/** How many parts a call has: the products of a batch, or groups of GEMM_PART columns (or rows) of a single one. */
export const gemmParts = (m: number, n: number, count: number): number =>
  count > 1 ? count : Math.ceil(Math.max(m, n) / GEMM_PART);

/** BLAS as a kernel. Its own threads stay at one; ours take the parts. */
function gemmKernel(sgemm: Sgemm): KernelTable[number] {
  return (begin, end, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc, count, nextA, nextB, nextC) => {
    const [transposeA, transposeB] = [ta === 1, tb === 1];
    for (let item = begin; item < end; item++) {
      if (count > 1) {
        const [x, y, z] = [a + 4 * item * nextA, b + 4 * item * nextB, c + 4 * item * nextC];
        sgemm(transposeA, transposeB, m, n, k, 1, x, lda, y, ldb, beta, z, ldc);
        continue;
      }
      const at = item * GEMM_PART;
      const part = Math.min(GEMM_PART, Math.max(m, n) - at);
      if (n >= m) {
        const from = b + 4 * at * (transposeB ? ldb : 1);
        sgemm(transposeA, transposeB, m, part, k, 1, a, lda, from, ldb, beta, c + 4 * at, ldc);
      } else {
        const from = a + 4 * at * (transposeA ? 1 : lda);
        sgemm(transposeA, transposeB, part, n, k, 1, from, lda, b, ldb, beta, c + 4 * at * ldc, ldc);
      }
    }
  };
}

/** What a thread computes by BLAS, in the order of job numbers after the kernels' own: dense products, then products of open blocks. */
export function blasKernels({ sgemm }: Blas, tools: ThreadTools): KernelTable {
  const call = sgemm(tools.memory);
  return [gemmKernel(call), ...blockProductKernels(call, tools)];
}
