import type { Engine } from './engine.ts';
import type { NdArray } from './nd-array.ts';

/**
 * Which blocks are open for which rows (examples) of a minibatch, on the heap of this step. An open (row, block) is a pair; pairs are
 * numbered by block, then by row, and compact values have one row of `size` elements a pair. Fields named like arrays are
 * pointers to whole numbers; src/kernels/blocks-mask.ts says what stands there.
 */
export interface BlockMask {
  readonly rows: number;
  readonly blocks: number;
  /** Open pairs. */
  readonly pairs: number;
  /** blocks + 1: pairs of block k are blockStart[k] … blockStart[k+1] − 1. */
  readonly blockStart: number;
  /** The row of every pair. */
  readonly pairRow: number;
  /** The block of every pair. */
  readonly pairBlock: number;
  /** rows + 1: the pairs of row r are rowPair[rowStart[r]] … rowPair[rowStart[r+1] − 1]. */
  readonly rowStart: number;
  /** Pair numbers row by row, blocks ascending. */
  readonly rowPair: number;
  /** `blockStart` as numbers. */
  blockStarts(): ArrayLike<number>;
  /** `rowStart` as numbers. */
  rowStarts(): ArrayLike<number>;
  /** `pairRow` as numbers. */
  pairRows(): Int32Array | Float64Array;
}

/** How many gates are open (not 0): the pairs that their mask would have. */
export function countOpen({ backend }: Engine, gates: NdArray): number {
  const count = backend.heap.allocate(1, 'a count of open gates');
  backend.run('countOpen', gates.pointer, count, gates.size);
  return backend.heap.memory.integers(count, 1)[0];
}

/** The mask of gates (rows × blocks): a pair is open where its gate is not 0. Valid until the next step. */
export function blockMask({ backend }: Engine, gates: NdArray): BlockMask {
  const { rows, columns: blocks } = gates;
  const room = (elements: number) => backend.heap.allocate(elements, 'a block mask');
  const blockStart = room(blocks + 1);
  const rowStart = room(rows + 1);
  const [pairRow, pairBlock, rowPair] = [room(gates.size), room(gates.size), room(gates.size)];
  backend.run('buildMask', gates.pointer, blockStart, pairRow, pairBlock, rowStart, rowPair, rows, blocks);
  const pairs = backend.heap.memory.integers(blockStart + 4 * blocks, 1)[0];
  const { memory } = backend.heap;
  return {
    rows,
    blocks,
    pairs,
    blockStart,
    pairRow,
    pairBlock,
    rowStart,
    rowPair,
    blockStarts: () => memory.integers(blockStart, blocks + 1),
    rowStarts: () => memory.integers(rowStart, rows + 1),
    pairRows: () => memory.integers(pairRow, pairs),
  };
}
