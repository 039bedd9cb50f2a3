/**
 * Products of dense rows with open blocks by BLAS. What the kernels denseToBlocks, denseToBlocksInputs and denseToBlocksWeights
 * compute (same arguments, see kernels/blocks-from-dense.ts), another way: each thread gathers the rows that have opened a block, calls
 * sgemm on the block, and adds the result to where it belongs. It differs from the kernels in rounding only.
 *
 * Where items end depends on shapes only, as with kernels, so that the number of threads does not change the bits.
 */
import type { KernelArguments } from '../kernels/catalogue.ts';
import { SCRATCH_BYTES } from '../kernels/kernel.ts';
import type { Sgemm } from './blas.ts';
import type { KernelTable } from './pool.ts';

/** What a thread of the pool has of its own. */
export interface ThreadTools {
  readonly memory: WebAssembly.Memory;
  /** Byte offset of its scratch memory. */
  readonly scratch: number;
  /** Its own instance's kernel of this name. */
  kernel(name: 'gatherRows' | 'transposeRows' | 'addTransposedRows' | 'fillRows'): KernelTable[number];
}

/** Products that BLAS can do, in the order of their job numbers. */
export const BLOCK_PRODUCTS = ['denseToBlocks', 'denseToBlocksInputs', 'denseToBlocksWeights'] as const;
export type BlockProduct = (typeof BLOCK_PRODUCTS)[number];

/** Elements of a thread's scratch memory. */
const ROOM = SCRATCH_BYTES / 4;
/** Gathered rows that must fit, else a product is not offered. */
const LEAST_ROWS = 16;
/** Columns of a block in one item, about: wide blocks are cut. */
const COLUMNS_EACH = 256;
/** Inputs in one item of a gradient, about. OpenBLAS packs no matrices for products up to 100³: 200 inputs keep below that. */
const INPUTS_EACH = 208;
const WEIGHT_INPUTS_EACH = 416;

/** Does a block of so many inputs and units fit a thread's scratch memory? */
export function fitsScratch(inputs: number, size: number): boolean {
  return inputs > 0 && LEAST_ROWS * Math.max(inputs, size + 2 * INPUTS_EACH) <= ROOM;
}

/** Cuts a length into pieces of one width (whole vectors), about `each` long. */
function pieces(length: number, each: number): { count: number; width: number } {
  const width = Math.max(16, Math.ceil(length / Math.max(1, Math.round(length / each)) / 16) * 16);
  return { count: Math.ceil(length / width), width };
}

/** How many items a product has. */
export function blockProductItems<N extends BlockProduct>(
  name: N,
  args: KernelArguments<N> & readonly number[],
): number {
  if (name === 'denseToBlocks') {
    const [, , , , , , , blocks, , size] = args;
    return blocks * pieces(size, COLUMNS_EACH).count;
  }
  if (name === 'denseToBlocksInputs') {
    const [, , , , , , , , , , , inputs] = args;
    return pieces(inputs, INPUTS_EACH).count;
  }
  const [, , , , , , blocks, inputs] = args;
  return blocks * pieces(inputs, WEIGHT_INPUTS_EACH).count;
}

/** The products of one thread, in the order of BLOCK_PRODUCTS. */
export function blockProductKernels(sgemm: Sgemm, { memory, scratch, kernel }: ThreadTools): KernelTable {
  const [gather, transpose] = [kernel('gatherRows'), kernel('transposeRows')];
  const [addTransposed, fillRows] = [kernel('addTransposedRows'), kernel('fillRows')];
  const starts = (blockStart: number, blocks: number) => new Int32Array(memory.buffer, blockStart, blocks + 1);

  /** Goes through the pairs of a block, as many at a time as have room when each takes so many elements. */
  function inChunks(start: number, stop: number, elements: number, run: (p: number, count: number) => void): void {
    const most = Math.floor(ROOM / elements);
    const chunks = Math.ceil((stop - start) / most);
    for (let chunk = 0, p = start; chunk < chunks; chunk++) {
      const count = Math.ceil((stop - p) / (chunks - chunk));
      run(p, count);
      p += count;
    }
  }

  /** values[p] = x[row(p)] · W[k] + bias[k]. An item is a piece of the columns of a block. */
  const forward: KernelTable[number] = (begin, end, ...args) => {
    const [x, weights, bias, values, blockStart, pairRow, , blocks, inputs, size] = args;
    const start = starts(blockStart, blocks);
    const { count: panels, width } = pieces(size, COLUMNS_EACH);
    for (let item = begin; item < end; item++) {
      const k = Math.floor(item / panels);
      const column = (item % panels) * width;
      const columns = Math.min(width, size - column);
      const w = weights + 4 * (k * inputs * size + column);
      inChunks(start[k], start[k + 1], inputs, (p, count) => {
        const to = values + 4 * (p * size + column);
        gather(0, count, x, pairRow + 4 * p, scratch, count, inputs, inputs);
        if (bias) fillRows(0, count, bias + 4 * (k * size + column), to, count, columns, size);
        sgemm(false, false, count, columns, inputs, 1, scratch, inputs, w, size, bias ? 1 : 0, to, size);
      });
    }
  };

  /**
   * dx[r] = Σ over the open blocks k of r: dValues[p] · W[k]ᵀ. An item is a piece of the inputs. It computes the transposed,
   * W[k] · dValuesᵀ: OpenBLAS is about twice as fast at that for few rows.
   */
  const inputGradient: KernelTable[number] = (begin, end, ...args) => {
    const [dValues, weights, dx, blockStart, pairRow, , , , , rows, blocks, inputs, size] = args;
    const start = starts(blockStart, blocks);
    const { width } = pieces(inputs, INPUTS_EACH);
    for (let item = begin; item < end; item++) {
      const input = item * width;
      const columns = Math.min(width, inputs - input);
      const to = dx + 4 * input;
      new Float32Array(memory.buffer, scratch, columns).fill(0);
      fillRows(0, rows, scratch, to, rows, columns, inputs);
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
  const weightGradient: KernelTable[number] = (begin, end, ...args) => {
    const [x, dValues, weights, blockStart, pairRow, , blocks, inputs, size, alpha, accumulate] = args;
    const start = starts(blockStart, blocks);
    const { count: panels, width } = pieces(inputs, WEIGHT_INPUTS_EACH);
    for (let item = begin; item < end; item++) {
      const k = Math.floor(item / panels);
      const input = (item % panels) * width;
      const columns = Math.min(width, inputs - input);
      const w = weights + 4 * (k * inputs + input) * size;
      if (start[k] === start[k + 1] && !accumulate) new Float32Array(memory.buffer, w, columns * size).fill(0);
      inChunks(start[k], start[k + 1], columns, (p, count) => {
        const onto = accumulate || p > start[k] ? 1 : 0;
        gather(0, count, x + 4 * input, pairRow + 4 * p, scratch, count, columns, inputs);
        sgemm(true, false, columns, size, count, alpha, scratch, columns, dValues + 4 * p * size, size, onto, w, size);
      });
    }
  };

  return [forward, inputGradient, weightGradient];
}
