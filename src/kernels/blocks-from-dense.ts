/**
 * Dense rows times the weights of open blocks, and the gradients. x is rows × inputs; values and dValues are
 * pairs × size; weights are block-major, W[blocks][inputs][size] (for blocks of one unit: W[units][inputs]). The lists
 * of the mask are explained in blocks-mask.ts.
 *
 *     denseToBlocks(x*, weights*, bias*, values*, blockStart#, pairRow#, pairs, blocks, inputs, size)
 *     denseToBlocksInputs(dValues*, weights*, dx*, blockStart#, pairRow#, rowStart#, rowPair#, pairBlock#,
 *                         pairs, rows, blocks, inputs, size)
 *     denseToBlocksWeights(x*, dValues*, weights*, blockStart#, pairRow#, pairs, blocks, inputs, size, alpha, accumulate)
 *
 * - bias* is blocks·size elements; 0 is no bias.
 * - denseToBlocksWeights with `accumulate` adds to the weights (or gradients) and touches no block that no row has
 *   opened: with alpha = −rate it is the fused update of gradient descent. Without it, such blocks become zeros.
 *
 * The constants are those of assembly/blocks-from-dense.ts: both sides must agree on the items.
 */
import { blockMultiplyAdds, productGrain } from './blocks-mask.ts';
import { kernel } from './kernel.ts';

/** Columns of a block in one item. */
export const BLOCK_PANEL = 64;
/** Inputs in one item of the input gradient. */
const INPUT_PANEL = 48;
/** Weights, about, in one item of a weight gradient. */
const SLAB = 6144;
const TILE_HEIGHT = 6;

/** Rows of a block's weights, `width` wide, in one item of a weight gradient. */
export const slabHeight = (width: number): number =>
  Math.max(1, Math.floor(SLAB / (Math.max(1, width) * TILE_HEIGHT))) * TILE_HEIGHT;

const panels = (blocks: number, size: number): number => blocks * Math.ceil(size / BLOCK_PANEL);
const inputPanels = (inputs: number): number => Math.ceil(inputs / INPUT_PANEL);
const slabs = (blocks: number, inputs: number, size: number): number => blocks * Math.ceil(inputs / slabHeight(size));

/** values[p] = x[row(p)] · W[k] + bias[k]. An item is a panel of columns of a block. */
export const denseToBlocks = kernel({
  parameters: ['x*', 'weights*', 'bias*', 'values*', 'blockStart#', 'pairRow#', 'pairs', 'blocks', 'inputs', 'size'],
  items: (_x, _w, _bias, _values, _start, _row, _pairs, blocks, _inputs, size) => panels(blocks, size),
  grain: (_x, _w, _bias, _values, _start, _row, pairs, blocks, inputs, size) =>
    productGrain(panels(blocks, size), blockMultiplyAdds(pairs, inputs, size)),
  define(memory, x, weights, bias, values, blockStart, pairRow, _pairs, blocks, inputs, size) {
    for (let k = 0; k < blocks; k++)
      for (let p = memory[blockStart + k]; p < memory[blockStart + k + 1]; p++)
        for (let j = 0; j < size; j++) {
          let sum = bias ? memory[bias + k * size + j] : 0;
          for (let i = 0; i < inputs; i++)
            sum += memory[x + memory[pairRow + p] * inputs + i] * memory[weights + (k * inputs + i) * size + j];
          memory[values + p * size + j] = sum;
        }
  },
});

/** dx[r] = Σ over the open blocks k of r: dValues[p] · W[k]ᵀ. An item is a panel of inputs. */
export const denseToBlocksInputs = kernel({
  parameters: [
    'dValues*',
    'weights*',
    'dx*',
    'blockStart#',
    'pairRow#',
    'rowStart#',
    'rowPair#',
    'pairBlock#',
    'pairs',
    'rows',
    'blocks',
    'inputs',
    'size',
  ],
  items: (_dv, _w, _dx, _start, _row, _rs, _rp, _pb, _pairs, _rows, _blocks, inputs) => inputPanels(inputs),
  grain: (_dv, _w, _dx, _start, _row, _rs, _rp, _pb, pairs, rows, _blocks, inputs, size) =>
    productGrain(inputPanels(inputs), blockMultiplyAdds(pairs, inputs, size) + 2 * rows * inputs),
  define(
    memory,
    dValues,
    weights,
    dx,
    _start,
    _row,
    rowStart,
    rowPair,
    pairBlock,
    _pairs,
    rows,
    _blocks,
    inputs,
    size,
  ) {
    for (let r = 0; r < rows; r++)
      for (let i = 0; i < inputs; i++) {
        let sum = 0;
        for (let n = memory[rowStart + r]; n < memory[rowStart + r + 1]; n++) {
          const p = memory[rowPair + n];
          const w = weights + (memory[pairBlock + p] * inputs + i) * size;
          for (let j = 0; j < size; j++) sum += memory[dValues + p * size + j] * memory[w + j];
        }
        memory[dx + r * inputs + i] = sum;
      }
  },
});

/** W[k] = (accumulate ? W[k] : 0) + alpha · x[rows of k]ᵀ · dValues[pairs of k]. An item is a slab of inputs of a block. */
export const denseToBlocksWeights = kernel({
  parameters: [
    'x*',
    'dValues*',
    'weights*',
    'blockStart#',
    'pairRow#',
    'pairs',
    'blocks',
    'inputs',
    'size',
    'alpha',
    'accumulate',
  ],
  items: (_x, _dv, _w, _start, _row, _pairs, blocks, inputs, size) => slabs(blocks, inputs, size),
  grain: (_x, _dv, _w, _start, _row, pairs, blocks, inputs, size) =>
    productGrain(slabs(blocks, inputs, size), blockMultiplyAdds(pairs, inputs, size)),
  define(memory, x, dValues, weights, blockStart, pairRow, _pairs, blocks, inputs, size, alpha, accumulate) {
    for (let k = 0; k < blocks; k++)
      for (let i = 0; i < inputs; i++)
        for (let j = 0; j < size; j++) {
          let sum = 0;
          for (let p = memory[blockStart + k]; p < memory[blockStart + k + 1]; p++)
            sum += memory[x + memory[pairRow + p] * inputs + i] * memory[dValues + p * size + j];
          const at = weights + (k * inputs + i) * size + j;
          memory[at] = (accumulate ? memory[at] : 0) + alpha * sum;
        }
  },
});
