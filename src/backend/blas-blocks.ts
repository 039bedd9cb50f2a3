/**
 * Products with open blocks by BLAS. What the kernels of kernels/blocks-from-dense.ts, blocks-to-dense.ts and blocks-update.ts compute (same
 * arguments), another way: each thread gathers the rows that have opened a block, calls sgemm on the block, and adds the result to where it
 * belongs, or updates the block with it. It differs from the kernels in rounding only.
 */
import {
  BLOCK_PRODUCTS,
  type BlockProduct,
  COLUMNS_EACH,
  eachPiece,
  LEAST_SUMS,
  pieces,
  ROOM,
  SUMS_EACH,
  updatedEach,
  WEIGHT_COLUMNS_EACH,
} from './blas-block-items.ts';
import { type BlockKernel, blockTools, type Sgemm } from './blas-block-tools.ts';
import type { KernelTable, ThreadTools } from './pool.ts';

/** values[p] = x[row(p)] · W[k] + bias[k]. An item is a piece of the columns of a block. */
const denseToBlocks: BlockKernel =
  ({ fillRows, gather, inChunks, scratch, sgemm, starts }) =>
  (begin, end, ...args) => {
    const [x, weights, bias, values, blockStart, pairRow, , blocks, inputs, size] = args;
    const start = starts(blockStart, blocks);
    eachPiece([begin, end], [size, COLUMNS_EACH], (k, column, columns) => {
      const w = weights + 4 * (k * inputs * size + column);
      inChunks(start[k], start[k + 1], inputs, (p, count) => {
        const to = values + 4 * (p * size + column);
        gather(0, count, x, pairRow + 4 * p, scratch, count, inputs, inputs);
        if (bias) fillRows(0, count, bias + 4 * (k * size + column), to, count, columns, size);
        sgemm(false, false, count, columns, inputs, 1, scratch, inputs, w, size, bias ? 1 : 0, to, size);
      });
    });
  };

/**
 * dx[r] = Σ over the open blocks k of r: dValues[p] · W[k]ᵀ. An item is a piece of the inputs. It computes the transposed,
 * W[k] · dValuesᵀ: OpenBLAS is faster at that for few rows.
 */
const denseToBlocksInputs: BlockKernel =
  ({ addTransposed, fill, inChunks, scratch, sgemm, starts, transpose }) =>
  (begin, end, ...args) => {
    const [dValues, weights, dx, blockStart, pairRow, , , , , rows, blocks, inputs, size] = args;
    const start = starts(blockStart, blocks);
    const { width } = pieces(inputs, SUMS_EACH, LEAST_SUMS);
    for (let item = begin; item < end; item++) {
      const input = item * width;
      const columns = Math.min(width, inputs - input);
      const to = dx + 4 * input;
      fill(to, 0, rows, columns, inputs);
      for (let k = 0; k < blocks; k++) {
        const w = weights + 4 * (k * inputs + input) * size;
        inChunks(start[k], start[k + 1], size + columns, (p, count) => {
          const product = scratch + 4 * size * count;
          transpose(0, size, dValues + 4 * p * size, scratch, count, size);
          sgemm(false, false, columns, count, size, 1, w, size, scratch, count, 0, product, count);
          addTransposed(0, count, product, pairRow + 4 * p, to, count, columns, inputs);
        });
      }
    }
  };

/** W[k] = (accumulate ? W[k] : 0) + alpha · x[rows of k]ᵀ · dValues[pairs of k]. An item is a piece of the inputs of a block. */
const denseToBlocksWeights: BlockKernel =
  ({ gather, inChunks, memory, scratch, sgemm, starts }) =>
  (begin, end, ...args) => {
    const [x, dValues, weights, blockStart, pairRow, , blocks, inputs, size, alpha, accumulate] = args;
    const start = starts(blockStart, blocks);
    eachPiece([begin, end], [inputs, WEIGHT_COLUMNS_EACH], (k, input, columns) => {
      const w = weights + 4 * (k * inputs + input) * size;
      if (start[k] === start[k + 1] && !accumulate) new Float32Array(memory.buffer, w, columns * size).fill(0);
      inChunks(start[k], start[k + 1], columns, (p, count) => {
        const onto = accumulate || p > start[k] ? 1 : 0;
        gather(0, count, x + 4 * input, pairRow + 4 * p, scratch, count, columns, inputs);
        sgemm(true, false, columns, size, count, alpha, scratch, columns, dValues + 4 * p * size, size, onto, w, size);
      });
    });
  };

/** That gradient, of open blocks alone, into the rule of an optimizer. An item is a piece of the inputs of a block. */
const denseToBlocksUpdate: BlockKernel =
  ({ gather, inChunks, scratch, sgemm, starts, update }) =>
  (begin, end, ...args) => {
    const [x, dValues, weights, first, second, rule, blockStart, pairRow, , blocks, inputs, size] = args;
    const start = starts(blockStart, blocks);
    eachPiece([begin, end], [inputs, updatedEach(size)], (k, input, columns) => {
      if (start[k] === start[k + 1]) return;
      const n = columns * size;
      const gathered = scratch + 4 * n;
      const onGathered = (p: number, count: number): void => {
        const onto = p > start[k] ? 1 : 0;
        gather(0, count, x + 4 * input, pairRow + 4 * p, gathered, count, columns, inputs);
        const from = dValues + 4 * p * size;
        sgemm(true, false, columns, size, count, 1, gathered, columns, from, size, onto, scratch, size);
      };
      inChunks(start[k], start[k + 1], columns, onGathered, ROOM - n);
      update(n, 4 * (k * inputs + input) * size, [weights, first, second, rule], blockStart + 4 * k);
    });
  };

/** y[r] = bias + Σ over the open blocks k of r: values[p] · W[rows of k]. An item is a piece of the outputs. */
const blocksToDense: BlockKernel =
  ({ addGated, fill, inChunks, memory, scratch, sgemm, starts }) =>
  (begin, end, ...args) => {
    const [values, weights, bias, y, blockStart, pairRow, , , , , rows, blocks, size, outputs] = args;
    const start = starts(blockStart, blocks);
    const { width } = pieces(outputs, SUMS_EACH, LEAST_SUMS);
    for (let item = begin; item < end; item++) {
      const column = item * width;
      const columns = Math.min(width, outputs - column);
      const to = y + 4 * column;
      fill(to, bias && bias + 4 * column, rows, columns, outputs);
      // A gate of 1 for every row.
      new Float32Array(memory.buffer, scratch, 1)[0] = 1;
      const product = scratch + 64;
      const onPairs = (k: number, p: number, count: number): void => {
        const w = weights + 4 * (k * size * outputs + column);
        sgemm(false, false, count, columns, size, 1, values + 4 * p * size, size, w, outputs, 0, product, columns);
        addGated(0, count, product, scratch, pairRow + 4 * p, to, count, columns, 0, outputs);
      };
      for (let k = 0; k < blocks; k++)
        inChunks(start[k], start[k + 1], columns, (p, count) => onPairs(k, p, count), ROOM - 16);
    }
  };

/** dValues[p] = dy[row(p)] · W[rows of k]ᵀ. An item is a piece of the columns of a block. */
const blocksToDenseValues: BlockKernel =
  ({ gather, inChunks, scratch, sgemm, starts }) =>
  (begin, end, ...args) => {
    const [dy, weights, dValues, blockStart, pairRow, , blocks, size, outputs] = args;
    const start = starts(blockStart, blocks);
    eachPiece([begin, end], [size, COLUMNS_EACH], (k, column, columns) => {
      const w = weights + 4 * (k * size + column) * outputs;
      inChunks(start[k], start[k + 1], outputs, (p, count) => {
        const to = dValues + 4 * (p * size + column);
        gather(0, count, dy, pairRow + 4 * p, scratch, count, outputs, outputs);
        sgemm(false, true, count, columns, outputs, 1, scratch, outputs, w, outputs, 0, to, size);
      });
    });
  };

/** W[rows of k] = (accumulate ? itself : 0) + alpha · values[pairs of k]ᵀ · dy[rows of k]. An item is a piece of the outputs of a block. */
const blocksToDenseWeights: BlockKernel =
  ({ fill, gather, inChunks, scratch, sgemm, starts }) =>
  (begin, end, ...args) => {
    const [values, dy, weights, blockStart, pairRow, , blocks, size, outputs, alpha, accumulate] = args;
    const start = starts(blockStart, blocks);
    eachPiece([begin, end], [outputs, WEIGHT_COLUMNS_EACH], (k, column, columns) => {
      const w = weights + 4 * (k * size * outputs + column);
      if (start[k] === start[k + 1] && !accumulate) fill(w, 0, size, columns, outputs);
      inChunks(start[k], start[k + 1], columns, (p, count) => {
        const onto = accumulate || p > start[k] ? 1 : 0;
        const from = values + 4 * p * size;
        gather(0, count, dy + 4 * column, pairRow + 4 * p, scratch, count, columns, outputs);
        sgemm(true, false, size, columns, count, alpha, from, size, scratch, columns, onto, w, outputs);
      });
    });
  };

/** That gradient, of open blocks alone, into the rule of an optimizer. An item is a piece of the units of a block. */
const blocksToDenseUpdate: BlockKernel =
  ({ gather, inChunks, scratch, sgemm, starts, update }) =>
  (begin, end, ...args) => {
    const [values, dy, weights, first, second, rule, blockStart, pairRow, , blocks, size, outputs] = args;
    const start = starts(blockStart, blocks);
    eachPiece([begin, end], [size, updatedEach(outputs)], (k, unit, units) => {
      if (start[k] === start[k + 1]) return;
      const n = units * outputs;
      const gathered = scratch + 4 * n;
      const onGathered = (p: number, count: number): void => {
        const onto = p > start[k] ? 1 : 0;
        const from = values + 4 * (p * size + unit);
        gather(0, count, dy, pairRow + 4 * p, gathered, count, outputs, outputs);
        sgemm(true, false, units, outputs, count, 1, from, size, gathered, outputs, onto, scratch, outputs);
      };
      inChunks(start[k], start[k + 1], outputs, onGathered, ROOM - n);
      update(n, 4 * (k * size + unit) * outputs, [weights, first, second, rule], blockStart + 4 * k);
    });
  };

const PRODUCTS: Readonly<Record<BlockProduct, BlockKernel>> = {
  denseToBlocks,
  denseToBlocksInputs,
  denseToBlocksWeights,
  denseToBlocksUpdate,
  blocksToDense,
  blocksToDenseValues,
  blocksToDenseWeights,
  blocksToDenseUpdate,
};

/** The products of one thread, in the order of BLOCK_PRODUCTS. */
export function blockProductKernels(sgemm: Sgemm, thread: ThreadTools): KernelTable {
  const tools = blockTools(sgemm, thread);
  return BLOCK_PRODUCTS.map((name) => PRODUCTS[name](tools));
}
