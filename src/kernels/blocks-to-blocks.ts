/**
 * Open blocks times the weights of the next layer's open blocks, and the gradients. Everything of the lower layer ends
 * in 1, of the upper in 2: values1 is pairs1 × size1, values2 is pairs2 × size2, and weights are
 * W[blocks2][blocks1·size1][size2]. Only pairs of blocks that an example has opened on both sides take part. The lists
 * of the masks are explained in blocks-mask.ts, `alpha` and `accumulate` in blocks-from-dense.ts.
 *
 *     blocksToBlocks(values1*, weights*, bias*, values2*, blockStart1#, pairRow1#, rowStart1#, rowPair1#, pairBlock1#,
 *                    blockStart2#, pairRow2#, pairs1, pairs2, rows, blocks1, blocks2, size1, size2)
 *     blocksToBlocksValues(dValues2*, weights*, dValues1*, blockStart1#, pairRow1#, blockStart2#, pairRow2#, rowStart2#,
 *                          rowPair2#, pairBlock2#, pairs1, pairs2, rows, blocks1, blocks2, size1, size2)
 *     blocksToBlocksWeights(values1*, dValues2*, weights*, blockStart1#, pairRow1#, rowStart1#, rowPair1#, pairBlock1#,
 *                           blockStart2#, pairRow2#, pairs1, pairs2, rows, blocks1, blocks2, size1, size2,
 *                           alpha, accumulate)
 *
 * bias* is blocks2·size2 elements; 0 is no bias. With `accumulate`, only weights between blocks that some example has
 * opened both are touched. A minibatch may have at most MOST_ROWS rows (the scratch memory holds a mark for each).
 */
import { productGrain } from './blocks-mask.ts';
import { kernel } from './kernel.ts';

/** Most rows of a minibatch: MOST_MARKS of assembly/blocks-rows.ts. */
export const MOST_ROWS = 1 << 17;

function checked(items: number, rows: number): number {
  if (rows <= MOST_ROWS) return items;
  throw new RangeError(`A minibatch between two gated layers has ${rows} rows. Expected ${MOST_ROWS} or fewer.`);
}

/** Multiply-adds, where the two masks are independent of each other. */
export const blockPairMultiplyAdds = (
  pairs1: number,
  pairs2: number,
  rows: number,
  size1: number,
  size2: number,
): number => ((pairs1 * pairs2) / Math.max(1, rows)) * size1 * size2;

/** Calls back with each (p1, p2) of one example, in ascending order of p2 and then p1. */
function forCommon(
  memory: Float64Array,
  mask1: { blockStart: number; pairRow: number; blocks: number },
  mask2: { blockStart: number; pairRow: number; blocks: number },
  visit: (p1: number, k1: number, p2: number, k2: number) => void,
): void {
  for (let k2 = 0; k2 < mask2.blocks; k2++)
    for (let p2 = memory[mask2.blockStart + k2]; p2 < memory[mask2.blockStart + k2 + 1]; p2++)
      for (let k1 = 0; k1 < mask1.blocks; k1++)
        for (let p1 = memory[mask1.blockStart + k1]; p1 < memory[mask1.blockStart + k1 + 1]; p1++)
          if (memory[mask1.pairRow + p1] === memory[mask2.pairRow + p2]) visit(p1, k1, p2, k2);
}

/** values2[p2] = bias[k2] + Σ over the blocks k1 that its example has opened: values1[p1] · W[k2][rows of k1]. Items: k2. */
export const blocksToBlocks = kernel({
  parameters: [
    'values1*',
    'weights*',
    'bias*',
    'values2*',
    'blockStart1#',
    'pairRow1#',
    'rowStart1#',
    'rowPair1#',
    'pairBlock1#',
    'blockStart2#',
    'pairRow2#',
    'pairs1',
    'pairs2',
    'rows',
    'blocks1',
    'blocks2',
    'size1',
    'size2',
  ],
  items: (_v1, _w, _b, _v2, _s1, _r1, _rs, _rp, _pb, _s2, _r2, _pairs1, _pairs2, rows, _blocks1, blocks2) =>
    checked(blocks2, rows),
  grain: (_v1, _w, _b, _v2, _s1, _r1, _rs, _rp, _pb, _s2, _r2, pairs1, pairs2, rows, _b1, blocks2, size1, size2) =>
    productGrain(blocks2, blockPairMultiplyAdds(pairs1, pairs2, rows, size1, size2)),
  define(memory, values1, weights, bias, values2, start1, row1, _rs, _rp, _pb, start2, row2, ...shape) {
    const [, pairs2, , blocks1, blocks2, size1, size2] = shape;
    const mask1 = { blockStart: start1, pairRow: row1, blocks: blocks1 };
    const mask2 = { blockStart: start2, pairRow: row2, blocks: blocks2 };
    for (let k = 0, p = 0; p < pairs2; p++) {
      while (p >= memory[start2 + k + 1]) k++;
      for (let j = 0; j < size2; j++) memory[values2 + p * size2 + j] = bias ? memory[bias + k * size2 + j] : 0;
    }
    forCommon(memory, mask1, mask2, (p1, k1, p2, k2) => {
      for (let i = 0; i < size1; i++)
        for (let j = 0; j < size2; j++)
          memory[values2 + p2 * size2 + j] +=
            memory[values1 + p1 * size1 + i] * memory[weights + ((k2 * blocks1 + k1) * size1 + i) * size2 + j];
    });
  },
});

/** dValues1[p1] = Σ over the blocks k2 that its example has opened: dValues2[p2] · W[k2][rows of k1]ᵀ. Items: k1. */
export const blocksToBlocksValues = kernel({
  parameters: [
    'dValues2*',
    'weights*',
    'dValues1*',
    'blockStart1#',
    'pairRow1#',
    'blockStart2#',
    'pairRow2#',
    'rowStart2#',
    'rowPair2#',
    'pairBlock2#',
    'pairs1',
    'pairs2',
    'rows',
    'blocks1',
    'blocks2',
    'size1',
    'size2',
  ],
  items: (_v2, _w, _v1, _s1, _r1, _s2, _r2, _rs, _rp, _pb, _pairs1, _pairs2, rows, blocks1) => checked(blocks1, rows),
  grain: (_v2, _w, _v1, _s1, _r1, _s2, _r2, _rs, _rp, _pb, pairs1, pairs2, rows, blocks1, _b2, size1, size2) =>
    productGrain(blocks1, blockPairMultiplyAdds(pairs1, pairs2, rows, size1, size2)),
  define(memory, dValues2, weights, dValues1, start1, row1, start2, row2, _rs, _rp, _pb, ...shape) {
    const [pairs1, , , blocks1, blocks2, size1, size2] = shape;
    const mask1 = { blockStart: start1, pairRow: row1, blocks: blocks1 };
    const mask2 = { blockStart: start2, pairRow: row2, blocks: blocks2 };
    memory.fill(0, dValues1, dValues1 + pairs1 * size1);
    forCommon(memory, mask1, mask2, (p1, k1, p2, k2) => {
      for (let i = 0; i < size1; i++)
        for (let j = 0; j < size2; j++)
          memory[dValues1 + p1 * size1 + i] +=
            memory[dValues2 + p2 * size2 + j] * memory[weights + ((k2 * blocks1 + k1) * size1 + i) * size2 + j];
    });
  },
});

/** W[k2][rows of k1] = (accumulate ? itself : 0) + alpha · values1ᵀ · dValues2 over the examples that open both. Items: k2. */
export const blocksToBlocksWeights = kernel({
  parameters: [
    'values1*',
    'dValues2*',
    'weights*',
    'blockStart1#',
    'pairRow1#',
    'rowStart1#',
    'rowPair1#',
    'pairBlock1#',
    'blockStart2#',
    'pairRow2#',
    'pairs1',
    'pairs2',
    'rows',
    'blocks1',
    'blocks2',
    'size1',
    'size2',
    'alpha',
    'accumulate',
  ],
  items: (_v1, _v2, _w, _s1, _r1, _rs, _rp, _pb, _s2, _r2, _pairs1, _pairs2, rows, _blocks1, blocks2) =>
    checked(blocks2, rows),
  grain: (_v1, _v2, _w, _s1, _r1, _rs, _rp, _pb, _s2, _r2, pairs1, pairs2, rows, _b1, blocks2, size1, size2) =>
    productGrain(blocks2, blockPairMultiplyAdds(pairs1, pairs2, rows, size1, size2)),
  define(memory, values1, dValues2, weights, start1, row1, _rs, _rp, _pb, start2, row2, ...shape) {
    const [, , , blocks1, blocks2, size1, size2, alpha, accumulate] = shape;
    const mask1 = { blockStart: start1, pairRow: row1, blocks: blocks1 };
    const mask2 = { blockStart: start2, pairRow: row2, blocks: blocks2 };
    if (!accumulate) memory.fill(0, weights, weights + blocks2 * blocks1 * size1 * size2);
    forCommon(memory, mask1, mask2, (p1, k1, p2, k2) => {
      for (let i = 0; i < size1; i++)
        for (let j = 0; j < size2; j++)
          memory[weights + ((k2 * blocks1 + k1) * size1 + i) * size2 + j] +=
            alpha * memory[values1 + p1 * size1 + i] * memory[dValues2 + p2 * size2 + j];
    });
  },
});
