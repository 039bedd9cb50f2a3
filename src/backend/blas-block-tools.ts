/** What the products with open blocks by BLAS have of their thread: its memory, its kernels, and what they do with them in common. */
import { updateBlocks as updateKernel } from '../kernels/optimizers.ts';
import { ROOM } from './blas-block-items.ts';
import type { KernelTable, ThreadTools } from './pool.ts';

type Kernel = KernelTable[number];

/** cblas_sgemm, row-major; pointers are byte offsets in the memory. */
export type Sgemm = (
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  beta: number,
  c: number,
  ldc: number,
) => void;

/** A product, made for one thread. */
export type BlockKernel = (tools: BlockTools) => Kernel;
export type BlockTools = ReturnType<typeof blockTools>;

/** The tools of one thread: plain functions, since products call them for every block. */
export function blockTools(sgemm: Sgemm, { memory, scratch, kernel }: ThreadTools) {
  const fillRows = kernel('fillRows');
  const updateBlocks = kernel('updateBlocks');
  const starts = (blockStart: number, blocks: number) => new Int32Array(memory.buffer, blockStart, blocks + 1);

  /** Goes through the pairs of a block, as many at a time as have room when each takes so many elements. */
  function inChunks(
    start: number,
    stop: number,
    elements: number,
    run: (p: number, count: number) => void,
    room = ROOM,
  ): void {
    const most = Math.floor(room / elements);
    const chunks = Math.ceil((stop - start) / most);
    for (let chunk = 0, p = start; chunk < chunks; chunk++) {
      const count = Math.ceil((stop - p) / (chunks - chunk));
      run(p, count);
      p += count;
    }
  }

  /** Fills rows of so many columns, `stride` elements apart, with a row, or with zeros where it is 0. */
  function fill(to: number, row: number, rows: number, columns: number, stride: number): void {
    if (!row) new Float32Array(memory.buffer, scratch, columns).fill(0);
    fillRows(0, rows, row || scratch, to, rows, columns, stride);
  }

  /** The rule for n elements, `at` bytes into the arrays, whose gradient stands in the scratch memory. @param open where a block's pairs are told */
  function update(n: number, at: number, [weights, first, second, rule]: readonly number[], open: number): void {
    const args = [weights + at, scratch, first + at, second + at, rule, open, 1, n] as const;
    updateBlocks(0, updateKernel.items(...args), ...args);
  }

  return {
    ...{ sgemm, memory, scratch, starts, inChunks, fill, update, fillRows },
    gather: kernel('gatherRows'),
    transpose: kernel('transposeRows'),
    addTransposed: kernel('addTransposedRows'),
    addGated: kernel('addGatedRows'),
  };
}
