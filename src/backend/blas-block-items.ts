/**
 * Products with open blocks by BLAS: which there are, whether one fits a thread's scratch memory, and how its work is cut into items. Where items
 * end depends on shapes only, as with kernels, so that the number of threads does not change the bits.
 */
import type { KernelArguments } from '../kernels/catalogue.ts';
import { SCRATCH_BYTES } from '../kernels/kernel.ts';

/** Products that BLAS can do, in the order of their job numbers. */
export const BLOCK_PRODUCTS = [
  'denseToBlocks',
  'denseToBlocksInputs',
  'denseToBlocksWeights',
  'denseToBlocksUpdate',
  'blocksToDense',
  'blocksToDenseValues',
  'blocksToDenseWeights',
  'blocksToDenseUpdate',
] as const;
/** The name of a product of `BLOCK_PRODUCTS`. */
export type BlockProduct = (typeof BLOCK_PRODUCTS)[number];

/** Elements of a thread's scratch memory. */
export const ROOM = SCRATCH_BYTES / 4;
/** Gathered rows that must fit, else a product is not offered. */
const LEAST_ROWS = 16;
/** Columns of a block in one item, about: wide blocks are cut. */
export const COLUMNS_EACH = 256;
/**
 * Dense columns in one item of a sum over blocks, about: many items gather and transpose the same rows again. Up to 100³, OpenBLAS packs no
 * matrices. Of a narrow sum there are two items, so that a second thread has work.
 */
export const SUMS_EACH = 208;
/** Items of a sum over blocks, at least, where it has as many vectors of 16 columns. */
export const LEAST_SUMS = 2;
/** Dense columns in one item of a weight gradient, about. */
export const WEIGHT_COLUMNS_EACH = 416;
/** Weights in one item of an update, about. */
const UPDATED_EACH = 16384;
/** Does a block of `size` units, with rows of so many inputs or outputs, fit a thread's scratch memory? */
export function fitsScratch(width: number, size: number): boolean {
  return width > 0 && LEAST_ROWS * Math.max(width, size + 2 * SUMS_EACH) <= ROOM;
}

/** Do the gathered rows and the gradient of one item of an update fit, where rows of weights have so many elements? */
export const fitsUpdate = (width: number): boolean => 2.5 * UPDATED_EACH + 2 * LEAST_ROWS * width <= ROOM;

/** Rows of a block's weights, each of so many elements, in one item of an update. */
export const updatedEach = (width: number): number => Math.min(WEIGHT_COLUMNS_EACH, UPDATED_EACH / width);

/** Cuts a length into pieces of one width (whole vectors), about `each` long. @param least pieces, where there are as many vectors */
export function pieces(length: number, each: number, least = 1): { count: number; width: number } {
  const width = Math.max(16, Math.ceil(length / Math.max(least, Math.round(length / each)) / 16) * 16);
  return { count: Math.ceil(length / width), width };
}

/** Calls `run` for the items of a product whose items are the pieces of every block: with the block, where its piece begins, and how long it is. */
export function eachPiece(
  [begin, end]: readonly [number, number],
  [length, each]: readonly [number, number],
  run: (k: number, from: number, columns: number) => void,
): void {
  const { count, width } = pieces(length, each);
  for (let item = begin; item < end; item++) {
    const from = (item % count) * width;
    run(Math.floor(item / count), from, Math.min(width, length - from));
  }
}

/** How many items each product has, by its arguments. */
const ITEMS: { readonly [N in BlockProduct]: (...args: KernelArguments<N>) => number } = {
  denseToBlocks: (_x, _w, _bias, _values, _start, _row, _pairs, blocks, _inputs, size) =>
    blocks * pieces(size, COLUMNS_EACH).count,
  denseToBlocksInputs: (_dv, _w, _dx, _start, _row, _rs, _rp, _pb, _pairs, _rows, _blocks, inputs) =>
    pieces(inputs, SUMS_EACH, LEAST_SUMS).count,
  denseToBlocksWeights: (_x, _dv, _w, _start, _row, _pairs, blocks, inputs) =>
    blocks * pieces(inputs, WEIGHT_COLUMNS_EACH).count,
  denseToBlocksUpdate: (_x, _dv, _w, _first, _second, _rule, _start, _row, _pairs, blocks, inputs, size) =>
    blocks * pieces(inputs, updatedEach(size)).count,
  blocksToDense: (_v, _w, _bias, _y, _start, _row, _rs, _rp, _pb, _pairs, _rows, _blocks, _size, outputs) =>
    pieces(outputs, SUMS_EACH, LEAST_SUMS).count,
  blocksToDenseValues: (_dy, _w, _dv, _start, _row, _pairs, blocks, size) => blocks * pieces(size, COLUMNS_EACH).count,
  blocksToDenseWeights: (_v, _dy, _w, _start, _row, _pairs, blocks, _size, outputs) =>
    blocks * pieces(outputs, WEIGHT_COLUMNS_EACH).count,
  blocksToDenseUpdate: (_v, _dy, _w, _first, _second, _rule, _start, _row, _pairs, blocks, size, outputs) =>
    blocks * pieces(size, updatedEach(outputs)).count,
};

/** How many items a product has. */
export const blockProductItems = <N extends BlockProduct>(name: N, args: KernelArguments<N>): number =>
  (ITEMS[name] as (...args: KernelArguments<N>) => number)(...args);
