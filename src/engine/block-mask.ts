import type { Engine } from './engine.ts';

/**
 * Which blocks are open for which rows (examples) of a minibatch, on the heap of this step. Open (row, block) pairs are numbered by
 * block, then by row; compact values have one row of `size` elements a pair. Fields named like arrays are pointers to Int32.
 */
export interface BlockMask {
  readonly rows: number;
  readonly blocks: number;
  /** Open pairs. */
  readonly pairs: number;
  /** blocks + 1: pairs of block k are blockStart[k] … blockStart[k+1] − 1. */
  readonly blockStart: number;
  /** pairs: the row of every pair. */
  readonly pairRow: number;
  /** rows + 1: entries of row r in rowPair are rowStart[r] … rowStart[r+1] − 1. */
  readonly rowStart: number;
  /** pairs: pair numbers row by row, blocks ascending. */
  readonly rowPair: number;
  /** pairs: the block of every pair. */
  readonly pairBlock: number;
}

/** The mask of a matrix (rows × blocks, row-major): a pair is open where it is not 0. */
export function blockMask(engine: Engine, gates: ArrayLike<number>, rows: number, blocks: number): BlockMask {
  const { heap } = engine.backend;
  const place = (elements: number) => {
    const pointer = heap.allocate(elements, 'a block mask');
    return { pointer, view: heap.memory.integers(pointer, elements) };
  };
  let pairs = 0;
  for (let i = 0; i < rows * blocks; i++) if (gates[i] !== 0) pairs++;
  const [starts, rowsOf] = [blocks + 1, rows + 1].map(place);
  const [pairRow, rowPair, pairBlock] = [pairs, pairs, pairs].map(place);
  starts.view.fill(0);
  for (let r = 0, i = 0; r < rows; r++)
    for (let k = 0; k < blocks; k++, i++) if (gates[i] !== 0) starts.view[k + 1]++;
  for (let k = 0; k < blocks; k++) starts.view[k + 1] += starts.view[k];
  const next = Int32Array.from(starts.view);
  let at = 0;
  for (let r = 0, i = 0; r < rows; r++) {
    rowsOf.view[r] = at;
    for (let k = 0; k < blocks; k++, i++) {
      if (gates[i] === 0) continue;
      const pair = next[k]++;
      pairRow.view[pair] = r;
      pairBlock.view[pair] = k;
      rowPair.view[at++] = pair;
    }
  }
  rowsOf.view[rows] = at;
  return {
    rows, blocks, pairs,
    blockStart: starts.pointer, pairRow: pairRow.pointer,
    rowStart: rowsOf.pointer, rowPair: rowPair.pointer, pairBlock: pairBlock.pointer,
  };
}
