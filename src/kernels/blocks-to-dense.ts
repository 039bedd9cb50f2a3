/**
 * Open blocks times dense weights, and the gradients. values and dValues are pairs × size; y and dy are rows × outputs;
 * weights are units × outputs, row-major: unit u of block k is row k·size + u. The lists of the mask are explained in
 * blocks-mask.ts, `alpha` and `accumulate` in blocks-from-dense.ts.
 *
 *     blocksToDense(values*, weights*, bias*, y*, blockStart#, pairRow#, rowStart#, rowPair#, pairBlock#,
 *                   pairs, rows, blocks, size, outputs)
 *     blocksToDenseValues(dy*, weights*, dValues*, blockStart#, pairRow#, pairs, blocks, size, outputs)
 *     blocksToDenseWeights(values*, dy*, weights*, blockStart#, pairRow#, pairs, blocks, size, outputs, alpha, accumulate)
 *
 * bias* is `outputs` elements; 0 is no bias. The constants are those of assembly/blocks-to-dense.ts.
 */
import { BLOCK_PANEL, slabHeight } from './blocks-from-dense.ts';
import { blockMultiplyAdds, productGrain } from './blocks-mask.ts';
import { kernel } from './kernel.ts';

const FEW_OUTPUTS = 48;
const SMALL_BLOCK = 3;
const ROWS_EACH = 8;

/** Outputs in one item of blocksToDense. */
function outputPanel(outputs: number, size: number): number {
  if (outputs <= FEW_OUTPUTS || size <= SMALL_BLOCK) return FEW_OUTPUTS;
  return Math.min(256, Math.max(64, Math.floor(outputs / 8 / 64) * 64));
}

const WHOLE_OUTPUTS = 512;
const ENOUGH_PAIRS = 12;
const MOST_STRETCHES = 16;

/** Stretches of examples that it goes by; 0: panels of outputs. */
function stretchesOf(pairs: number, blocks: number, size: number, outputs: number): number {
  if (outputs <= FEW_OUTPUTS || outputs > WHOLE_OUTPUTS || size <= SMALL_BLOCK || blocks === 0) return 0;
  const stretches = Math.min(MOST_STRETCHES, Math.floor(pairs / (ENOUGH_PAIRS * blocks)));
  return stretches < 2 ? 0 : stretches;
}

function forwardItems(pairs: number, rows: number, blocks: number, size: number, outputs: number): number {
  if (outputs === 0) return 0;
  const stretches = stretchesOf(pairs, blocks, size, outputs);
  if (stretches > 0) return stretches;
  return outputs <= FEW_OUTPUTS ? Math.ceil(rows / ROWS_EACH) : Math.ceil(outputs / outputPanel(outputs, size));
}
const panels = (blocks: number, size: number): number => blocks * Math.ceil(size / BLOCK_PANEL);
const slabs = (blocks: number, size: number, outputs: number): number =>
  outputs === 0 ? 0 : blocks * Math.ceil(size / slabHeight(outputs));

/** y[r] = bias + Σ over the open blocks k of r: values[p] · W[rows of k]. An item is a panel of outputs, or some rows. */
export const blocksToDense = kernel({
  parameters: [
    'values*',
    'weights*',
    'bias*',
    'y*',
    'blockStart#',
    'pairRow#',
    'rowStart#',
    'rowPair#',
    'pairBlock#',
    'pairs',
    'rows',
    'blocks',
    'size',
    'outputs',
  ],
  items: (_v, _w, _b, _y, _start, _row, _rs, _rp, _pb, pairs, rows, blocks, size, outputs) =>
    forwardItems(pairs, rows, blocks, size, outputs),
  grain: (_v, _w, _b, _y, _start, _row, _rs, _rp, _pb, pairs, rows, blocks, size, outputs) =>
    productGrain(
      forwardItems(pairs, rows, blocks, size, outputs),
      blockMultiplyAdds(pairs, outputs, size) + 2 * rows * outputs,
    ),
  define(
    memory,
    values,
    weights,
    bias,
    y,
    _start,
    _row,
    rowStart,
    rowPair,
    pairBlock,
    _pairs,
    rows,
    _blocks,
    size,
    outputs,
  ) {
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < outputs; c++) {
        let sum = bias ? memory[bias + c] : 0;
        for (let n = memory[rowStart + r]; n < memory[rowStart + r + 1]; n++) {
          const p = memory[rowPair + n];
          const unit = memory[pairBlock + p] * size;
          for (let j = 0; j < size; j++)
            sum += memory[values + p * size + j] * memory[weights + (unit + j) * outputs + c];
        }
        memory[y + r * outputs + c] = sum;
      }
  },
});

/** dValues[p] = dy[row(p)] · W[rows of k]ᵀ. An item is a panel of columns of a block. */
export const blocksToDenseValues = kernel({
  parameters: ['dy*', 'weights*', 'dValues*', 'blockStart#', 'pairRow#', 'pairs', 'blocks', 'size', 'outputs'],
  items: (_dy, _w, _dv, _start, _row, _pairs, blocks, size) => panels(blocks, size),
  grain: (_dy, _w, _dv, _start, _row, pairs, blocks, size, outputs) =>
    productGrain(panels(blocks, size), blockMultiplyAdds(pairs, outputs, size)),
  define(memory, dy, weights, dValues, blockStart, pairRow, _pairs, blocks, size, outputs) {
    for (let k = 0; k < blocks; k++)
      for (let p = memory[blockStart + k]; p < memory[blockStart + k + 1]; p++)
        for (let j = 0; j < size; j++) {
          let sum = 0;
          for (let c = 0; c < outputs; c++)
            sum += memory[dy + memory[pairRow + p] * outputs + c] * memory[weights + (k * size + j) * outputs + c];
          memory[dValues + p * size + j] = sum;
        }
  },
});

/** W[rows of k] = (accumulate ? itself : 0) + alpha · values[pairs of k]ᵀ · dy[rows of k]. An item is a slab of W[k]. */
export const blocksToDenseWeights = kernel({
  parameters: [
    'values*',
    'dy*',
    'weights*',
    'blockStart#',
    'pairRow#',
    'pairs',
    'blocks',
    'size',
    'outputs',
    'alpha',
    'accumulate',
  ],
  items: (_v, _dy, _w, _start, _row, _pairs, blocks, size, outputs) => slabs(blocks, size, outputs),
  grain: (_v, _dy, _w, _start, _row, pairs, blocks, size, outputs) =>
    productGrain(slabs(blocks, size, outputs), blockMultiplyAdds(pairs, outputs, size)),
  define(memory, values, dy, weights, blockStart, pairRow, _pairs, blocks, size, outputs, alpha, accumulate) {
    for (let k = 0; k < blocks; k++)
      for (let j = 0; j < size; j++)
        for (let c = 0; c < outputs; c++) {
          let sum = 0;
          for (let p = memory[blockStart + k]; p < memory[blockStart + k + 1]; p++)
            sum += memory[values + p * size + j] * memory[dy + memory[pairRow + p] * outputs + c];
          const at = weights + (k * size + j) * outputs + c;
          memory[at] = (accumulate ? memory[at] : 0) + alpha * sum;
        }
  },
});
