/**
 * Block-sparse activations. A mask says which blocks are open for which rows (examples) of a minibatch. It lives in the
 * heap as whole numbers; an open (row, block) is a pair, and pairs are numbered by block, then by row:
 *
 *     blockStart#[blocks + 1]   pairs blockStart[k] … blockStart[k + 1] − 1 are those of block k; the last is `pairs`
 *     pairRow#[pairs]           row of a pair
 *     pairBlock#[pairs]         block of a pair
 *     rowStart#[rows + 1]       rowPair[rowStart[r]] … rowPair[rowStart[r + 1] − 1] are the pairs of row r,
 *     rowPair#[pairs]           by ascending block
 *
 * The compact values of a layer are pairs × size, row p being the block of pair p. `size` is at least 1; everything
 * else may be 0. What a kernel writes must not overlap what it reads.
 */
import { vectorGrain, vectors } from './elementwise.ts';
import { kernel } from './kernel.ts';

/** Multiplications that a thread is asked to do at a time, at least: about five microseconds. */
const PRODUCTS_EACH = 1 << 17;

/** How many items make a part, when all items together are `products` multiplications. */
export const productGrain = (items: number, products: number): number =>
  Math.max(1, Math.floor((PRODUCTS_EACH * items) / Math.max(1, products)));

/** Multiply-adds of any product of dense rows with open blocks, forward or backward. */
export const blockMultiplyAdds = (pairs: number, width: number, size: number): number => pairs * width * size;

/** count#[0] = how many of n gates are open (not 0). A single item: it is over in microseconds. */
export const countOpen = kernel({
  parameters: ['gates*', 'count#', 'n'],
  items: () => 1,
  grain: () => 1,
  define(memory, gates, count, n) {
    memory[count] = memory.subarray(gates, gates + n).filter((gate) => gate !== 0).length;
  },
});

/**
 * Gates whose blocks are computed where closed ones are probed: of n uniform numbers in `marks`, marks[i] = 1 where the gate is
 * open or its number is under `probability`, else 0; weights[i] = 1 where it is open, else 1/probability.
 */
export const probeGates = kernel({
  parameters: ['gates*', 'marks*', 'weights*', 'n', 'probability'],
  items: (_gates, _marks, _weights, n) => vectors(n),
  grain: vectorGrain,
  define(memory, gates, marks, weights, n, probability) {
    for (let i = 0; i < n; i++) {
      const open = memory[gates + i] !== 0;
      memory[marks + i] = open || memory[marks + i] < probability ? 1 : 0;
      memory[weights + i] = open ? 1 : 1 / probability;
    }
  },
});

/**
 * The mask of gates (rows × blocks): a gate is open where it is not 0. As nobody knows the pairs before, there must be
 * room for rows·blocks of them; afterwards blockStart[blocks] is their number, and the rest of the room is unwritten.
 * A single item: the lists depend on each other.
 */
export const buildMask = kernel({
  parameters: ['gates*', 'blockStart#', 'pairRow#', 'pairBlock#', 'rowStart#', 'rowPair#', 'rows', 'blocks'],
  items: () => 1,
  grain: () => 1,
  define(memory, gates, blockStart, pairRow, pairBlock, rowStart, rowPair, rows, blocks) {
    const open = (r: number, k: number) => memory[gates + r * blocks + k] !== 0;
    let pairs = 0;
    for (let k = 0; k < blocks; k++) {
      memory[blockStart + k] = pairs;
      for (let r = 0; r < rows; r++) {
        if (!open(r, k)) continue;
        memory[pairRow + pairs] = r;
        memory[pairBlock + pairs++] = k;
      }
    }
    memory[blockStart + blocks] = pairs;
    let n = 0;
    for (let r = 0; r < rows; r++) {
      memory[rowStart + r] = n;
      for (let p = 0; p < pairs; p++) if (memory[pairRow + p] === r) memory[rowPair + n++] = p;
    }
    memory[rowStart + rows] = n;
  },
});
