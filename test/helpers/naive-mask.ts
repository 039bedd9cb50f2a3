/** Lists in compressed form: the members of list i are index[start[i]] … index[start[i+1]−1], ascending. */
export interface CompressedLists {
  readonly start: Int32Array;
  readonly index: Int32Array;
}

/** Which blocks are open for which rows (examples) of a minibatch. */
export interface BlockMask {
  readonly rows: number;
  readonly blocks: number;
  /** Open (row, block) pairs. */
  readonly pairs: number;
  /** The open blocks of every row. */
  readonly byRow: CompressedLists;
  /** The rows for which every block is open. */
  readonly byBlock: CompressedLists;
}

/** The mask of gates (rows × blocks, row-major): a gate is open where it is not 0. */
export function blockMask(gates: ArrayLike<number>, rows: number, blocks: number): BlockMask {
  const rowStart = new Int32Array(rows + 1);
  const blockStart = new Int32Array(blocks + 1);
  for (let r = 0, i = 0; r < rows; r++)
    for (let k = 0; k < blocks; k++, i++)
      if (gates[i] !== 0) {
        rowStart[r + 1]++;
        blockStart[k + 1]++;
      }
  for (let r = 0; r < rows; r++) rowStart[r + 1] += rowStart[r];
  for (let k = 0; k < blocks; k++) blockStart[k + 1] += blockStart[k];
  const pairs = rowStart[rows];
  const blocksOfRows = new Int32Array(pairs);
  const rowsOfBlocks = new Int32Array(pairs);
  const next = blockStart.slice(0, blocks);
  for (let r = 0, i = 0, at = 0; r < rows; r++)
    for (let k = 0; k < blocks; k++, i++)
      if (gates[i] !== 0) {
        blocksOfRows[at++] = k;
        rowsOfBlocks[next[k]++] = r;
      }
  return {
    rows,
    blocks,
    pairs,
    byRow: { start: rowStart, index: blocksOfRows },
    byBlock: { start: blockStart, index: rowsOfBlocks },
  };
}
