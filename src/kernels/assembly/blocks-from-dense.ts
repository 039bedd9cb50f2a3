// Dense rows times the weights of open blocks, W[blocks][inputs][size]; with its gradients. See src/kernels/blocks-from-dense.ts.
import { addOuterProducts } from './blocks-outer';
import { addProducts } from './blocks-product';
import {
  at, bytes, ceilDivide, copyRow, GRADIENT, listMatrixFirst, listValuesFirst, MOST_ENTRIES,
} from './blocks-rows';
import { addTransposedProducts } from './blocks-transposed';
import { addOpenRows, unitDots } from './blocks-units';
import { update } from './optimizers';
import { scratch } from './scratch';

/** Columns of a block in one item of denseToBlocks. */
const PANEL: i32 = 64;
/** Inputs in one item of denseToBlocksInputs: whole tiles, and whole cache lines of dx. */
const INPUT_PANEL: i32 = 48;
/** Weights, about, in one item of denseToBlocksWeights. */
const SLAB: i32 = 6144;
const TILE_HEIGHT: i32 = 6;

/** values[p] = x[row(p)] · W[k] + bias[k]. An item is a panel of columns of a block. */
export function denseToBlocks(
  begin: i32, end: i32, x: usize, weights: usize, bias: usize, values: usize, blockStart: usize, pairRow: usize,
  pairs: i32, blocks: i32, inputs: i32, size: i32,
): void {
  const panels = ceilDivide(size, PANEL);
  for (let item = begin; item < end; item++) {
    const k = item / panels;
    const column = (item % panels) * PANEL;
    const columns = min(PANEL, size - column);
    const w = weights + bytes(inputs) * (k * size) + bytes(column);
    const base = bias ? bias + bytes(k * size + column) : 0;
    const stop = at(blockStart, k + 1);
    if (size == 1) {
      unitDots(at(blockStart, k), stop, x, w, base ? load<f32>(base) : 0, values, pairRow, inputs);
      continue;
    }
    for (let p = at(blockStart, k); p < stop; p += MOST_ENTRIES) {
      const count = min(MOST_ENTRIES, stop - p);
      const to = values + bytes(column);
      for (let n = p; n < p + count; n++) copyRow(to + bytes(n * size), base, columns);
      listMatrixFirst(p, count, pairRow, x, bytes(inputs), to, bytes(size));
      addProducts(scratch, count, w, bytes(size), inputs, columns);
    }
  }
}

/** dx[r] = Σ over the open blocks k of r: dValues[p] · W[k]ᵀ. An item is a panel of inputs. */
export function denseToBlocksInputs(
  begin: i32, end: i32, dValues: usize, weights: usize, dx: usize, blockStart: usize, pairRow: usize,
  rowStart: usize, rowPair: usize, pairBlock: usize, pairs: i32, rows: i32, blocks: i32, inputs: i32, size: i32,
): void {
  for (let item = begin; item < end; item++) {
    const input = item * INPUT_PANEL;
    const columns = min(INPUT_PANEL, inputs - input);
    const to = dx + bytes(input);
    for (let r = 0; r < rows; r++) copyRow(to + bytes(inputs) * r, 0, columns);
    if (size == 1) {
      for (let r = 0; r < rows; r++) {
        const start = at(rowStart, r);
        addOpenRows(
          rowPair + bytes(start), at(rowStart, r + 1) - start, dValues, pairBlock, 1,
          weights + bytes(input), bytes(inputs), to + bytes(inputs) * r, columns,
        );
      }
      continue;
    }
    for (let k = 0; k < blocks; k++) {
      const w = weights + (bytes(inputs) * k + bytes(input)) * size;
      const stop = at(blockStart, k + 1);
      for (let p = at(blockStart, k); p < stop; p += MOST_ENTRIES) {
        const count = min(MOST_ENTRIES, stop - p);
        listValuesFirst(p, count, pairRow, to, bytes(inputs), dValues, bytes(size));
        addTransposedProducts(scratch, count, w, bytes(size), size, columns);
      }
    }
  }
}

/** W[k] = (accumulate ? W[k] : 0) + alpha · x[rows of k]ᵀ · dValues[pairs of k]. An item is a slab of inputs of a block. */
export function denseToBlocksWeights(
  begin: i32, end: i32, x: usize, dValues: usize, weights: usize, blockStart: usize, pairRow: usize,
  pairs: i32, blocks: i32, inputs: i32, size: i32, alpha: f32, accumulate: i32,
): void {
  const slab = max(1, SLAB / (size * TILE_HEIGHT)) * TILE_HEIGHT;
  const slabs = ceilDivide(inputs, slab);
  for (let item = begin; item < end; item++) {
    const k = item / slabs;
    const input = (item % slabs) * slab;
    const height = min(slab, inputs - input);
    const w = weights + (bytes(inputs) * k + bytes(input)) * size;
    const start = at(blockStart, k);
    const stop = at(blockStart, k + 1);
    if (start == stop && !accumulate) copyRow(w, 0, height * size);
    for (let p = start; p < stop; p += MOST_ENTRIES) {
      const count = min(MOST_ENTRIES, stop - p);
      const onto = accumulate != 0 || p > start;
      if (size == 1) {
        listValuesFirst(p, count, pairRow, x + bytes(input), bytes(inputs), dValues, 4);
        addOuterProducts(scratch, count, w, 0, 1, height, alpha, onto);
      } else {
        listMatrixFirst(p, count, pairRow, x + bytes(input), bytes(inputs), dValues, bytes(size));
        addOuterProducts(scratch, count, w, bytes(size), height, size, alpha, onto);
      }
    }
  }
}

/** The same gradient, of open blocks alone, which goes into the rule of an optimizer and nowhere else. Items as before. */
export function denseToBlocksUpdate(
  begin: i32, end: i32, x: usize, dValues: usize, weights: usize, first: usize, second: usize, rule: usize,
  blockStart: usize, pairRow: usize, pairs: i32, blocks: i32, inputs: i32, size: i32,
): void {
  const slab = max(1, SLAB / (size * TILE_HEIGHT)) * TILE_HEIGHT;
  const slabs = ceilDivide(inputs, slab);
  const gradient = scratch + GRADIENT;
  for (let item = begin; item < end; item++) {
    const k = item / slabs;
    const input = (item % slabs) * slab;
    const height = min(slab, inputs - input);
    const offset = (bytes(inputs) * k + bytes(input)) * size;
    const start = at(blockStart, k);
    const stop = at(blockStart, k + 1);
    if (start == stop) continue;
    for (let p = start; p < stop; p += MOST_ENTRIES) {
      const count = min(MOST_ENTRIES, stop - p);
      if (size == 1) {
        listValuesFirst(p, count, pairRow, x + bytes(input), bytes(inputs), dValues, 4);
        addOuterProducts(scratch, count, gradient, 0, 1, height, 1, p > start);
      } else {
        listMatrixFirst(p, count, pairRow, x + bytes(input), bytes(inputs), dValues, bytes(size));
        addOuterProducts(scratch, count, gradient, bytes(size), height, size, 1, p > start);
      }
    }
    update(rule, height * size, weights + offset, gradient, first + offset, second + offset);
  }
}
