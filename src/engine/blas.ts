import type { KernelTable } from './pool.ts';

/** A BLAS library that a platform has found and loaded. */
export interface Blas {
  /** As it stands in run records, e.g. `openblas`. */
  readonly name: string;
  /** What another thread loads the same library by. */
  readonly library: string;
  /** The function for one thread and one memory. */
  sgemm(memory: WebAssembly.Memory): Sgemm;
}

/** cblas_sgemm with α = 1, row-major; pointers are byte offsets in the memory. */
export type Sgemm = (
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  beta: number,
  c: number,
  ldc: number,
) => void;

/** Rows or columns of C in one part: the cut depends on shapes only, so that threads do not change the bits. */
export const GEMM_PART = 192;

/**
 * BLAS as a kernel: items are groups of GEMM_PART columns of C, or of rows where there are more of those. Its own threads
 * stay at one; ours do the splitting.
 */
export function gemmKernel(sgemm: Sgemm): KernelTable[number] {
  return (begin, end, transposeA, transposeB, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
    for (let item = begin; item < end; item++) {
      const at = item * GEMM_PART;
      const count = Math.min(GEMM_PART, Math.max(m, n) - at);
      if (n >= m) {
        const from = b + 4 * at * (transposeB ? ldb : 1);
        sgemm(transposeA === 1, transposeB === 1, m, count, k, a, lda, from, ldb, beta, c + 4 * at, ldc);
      } else {
        const from = a + 4 * at * (transposeA ? 1 : lda);
        sgemm(transposeA === 1, transposeB === 1, count, n, k, from, lda, b, ldb, beta, c + 4 * at * ldc, ldc);
      }
    }
  };
}
