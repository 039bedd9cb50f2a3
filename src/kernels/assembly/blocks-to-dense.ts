// Open blocks times dense weights W[units][outputs], unit u of block k being row k·size + u; with its gradients. See
// src/kernels/blocks-to-dense.ts.
import { addOuterProducts } from './blocks-outer';
import { addProducts } from './blocks-product';
import {
  at, bytes, ceilDivide, copyRow, GRADIENT, listMatrixFirst, listValuesFirst, MOST_ENTRIES,
} from './blocks-rows';
import { addTransposedProducts } from './blocks-transposed';
import { addOpenRows, unitDots } from './blocks-units';
import { update } from './optimizers';
import { scratch } from './scratch';

/** Up to so many outputs, and for blocks up to so small, blocksToDense goes example by example. */
const FEW_OUTPUTS: i32 = 48;
const SMALL_BLOCK: i32 = 3;
/** Examples in one item of blocksToDense then. */
const ROWS_EACH: i32 = 8;
/** Columns of a block in one item of blocksToDenseValues. */
const PANEL: i32 = 64;
/** Weights, about, in one item of blocksToDenseWeights. */
const SLAB: i32 = 6144;
const TILE_HEIGHT: i32 = 6;

/** Outputs in one item of blocksToDense: contiguous stretches as long as still leave some ten items. */
function outputPanel(outputs: i32, size: i32): i32 {
  if (outputs <= FEW_OUTPUTS || size <= SMALL_BLOCK) return FEW_OUTPUTS;
  return min(256, max(64, outputs / 8 & ~63));
}

/** The most outputs for which blocksToDense cuts its work by examples rather than by outputs. */
const WHOLE_OUTPUTS: i32 = 512;
/** Pairs of a block, on average, that a stretch of examples needs to fill the tiles of the product. */
const ENOUGH_PAIRS: i32 = 12;
const MOST_STRETCHES: i32 = 16;

/** Items of blocksToDense where each is a stretch of examples and reads each block's weights from top to bottom; 0 where each is a panel of outputs. */
function stretchesOf(pairs: i32, blocks: i32, size: i32, outputs: i32): i32 {
  if (outputs <= FEW_OUTPUTS || outputs > WHOLE_OUTPUTS || size <= SMALL_BLOCK || blocks == 0) return 0;
  const stretches = min(MOST_STRETCHES, pairs / (ENOUGH_PAIRS * blocks));
  return stretches < 2 ? 0 : stretches;
}

/** The first of some pairs, in order of their rows, whose row is not below `row`. */
function firstPair(pairRow: usize, from: i32, to: i32, row: i32): i32 {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (at(pairRow, middle) < row) from = middle + 1;
    else to = middle;
  }
  return from;
}

function stretchToDense(
  firstRow: i32, lastRow: i32, values: usize, weights: usize, bias: usize, y: usize, blockStart: usize, pairRow: usize,
  blocks: i32, size: i32, outputs: i32,
): void {
  for (let r = firstRow; r < lastRow; r++) copyRow(y + bytes(outputs) * r, bias, outputs);
  for (let k = 0; k < blocks; k++) {
    const last = at(blockStart, k + 1);
    const start = firstPair(pairRow, at(blockStart, k), last, firstRow);
    const stop = firstPair(pairRow, start, last, lastRow);
    for (let p = start; p < stop; p += MOST_ENTRIES) {
      const count = min(MOST_ENTRIES, stop - p);
      listValuesFirst(p, count, pairRow, y, bytes(outputs), values, bytes(size));
      addProducts(scratch, count, weights + bytes(outputs) * (k * size), bytes(outputs), size, outputs);
    }
  }
}

/** y[r] = bias + Σ over the open blocks k of r: values[p] · W[rows of k]. An item is a panel of outputs, or some rows. */
export function blocksToDense(
  begin: i32, end: i32, values: usize, weights: usize, bias: usize, y: usize, blockStart: usize, pairRow: usize,
  rowStart: usize, rowPair: usize, pairBlock: usize, pairs: i32, rows: i32, blocks: i32, size: i32, outputs: i32,
): void {
  const stretches = stretchesOf(pairs, blocks, size, outputs);
  if (stretches) {
    for (let item = begin; item < end; item++)
      stretchToDense(
        rows * item / stretches, rows * (item + 1) / stretches, values, weights, bias, y, blockStart, pairRow, blocks, size,
        outputs,
      );
    return;
  }
  const panel = outputPanel(outputs, size);
  for (let item = begin; item < end; item++) {
    const byRows = outputs <= FEW_OUTPUTS;
    const column = byRows ? 0 : item * panel;
    const columns = min(panel, outputs - column);
    const firstRow = byRows ? item * ROWS_EACH : 0;
    const lastRow = byRows ? min(rows, firstRow + ROWS_EACH) : rows;
    const w = weights + bytes(column);
    const to = y + bytes(column);
    for (let r = firstRow; r < lastRow; r++) {
      const row = to + bytes(outputs) * r;
      copyRow(row, bias ? bias + bytes(column) : 0, columns);
      if (!byRows && size > SMALL_BLOCK) continue;
      const start = at(rowStart, r);
      const count = at(rowStart, r + 1) - start;
      addOpenRows(rowPair + bytes(start), count, values, pairBlock, size, w, bytes(outputs), row, columns);
    }
    if (byRows || size <= SMALL_BLOCK) continue;
    for (let k = 0; k < blocks; k++) {
      const stop = at(blockStart, k + 1);
      for (let p = at(blockStart, k); p < stop; p += MOST_ENTRIES) {
        const count = min(MOST_ENTRIES, stop - p);
        listValuesFirst(p, count, pairRow, to, bytes(outputs), values, bytes(size));
        addProducts(scratch, count, w + bytes(outputs) * (k * size), bytes(outputs), size, columns);
      }
    }
  }
}

/** dValues[p] = dy[row(p)] · W[rows of k]ᵀ. An item is a panel of columns of a block. */
export function blocksToDenseValues(
  begin: i32, end: i32, dy: usize, weights: usize, dValues: usize, blockStart: usize, pairRow: usize,
  pairs: i32, blocks: i32, size: i32, outputs: i32,
): void {
  const panels = ceilDivide(size, PANEL);
  for (let item = begin; item < end; item++) {
    const k = item / panels;
    const column = (item % panels) * PANEL;
    const columns = min(PANEL, size - column);
    const w = weights + bytes(outputs) * (k * size + column);
    const stop = at(blockStart, k + 1);
    if (size == 1) {
      unitDots(at(blockStart, k), stop, dy, w, 0, dValues, pairRow, outputs);
      continue;
    }
    for (let p = at(blockStart, k); p < stop; p += MOST_ENTRIES) {
      const count = min(MOST_ENTRIES, stop - p);
      const to = dValues + bytes(column);
      for (let n = p; n < p + count; n++) copyRow(to + bytes(n * size), 0, columns);
      listMatrixFirst(p, count, pairRow, dy, bytes(outputs), to, bytes(size));
      addTransposedProducts(scratch, count, w, bytes(outputs), outputs, columns);
    }
  }
}

/** W[rows of k] = (accumulate ? itself : 0) + alpha · values[pairs of k]ᵀ · dy[rows of k]. An item is a slab of W[k]. */
export function blocksToDenseWeights(
  begin: i32, end: i32, values: usize, dy: usize, weights: usize, blockStart: usize, pairRow: usize,
  pairs: i32, blocks: i32, size: i32, outputs: i32, alpha: f32, accumulate: i32,
): void {
  const slab = max(1, SLAB / (max(1, outputs) * TILE_HEIGHT)) * TILE_HEIGHT;
  const slabs = ceilDivide(size, slab);
  for (let item = begin; item < end; item++) {
    const k = item / slabs;
    const unit = (item % slabs) * slab;
    const height = min(slab, size - unit);
    const w = weights + bytes(outputs) * (k * size + unit);
    const start = at(blockStart, k);
    const stop = at(blockStart, k + 1);
    if (start == stop && !accumulate) copyRow(w, 0, height * outputs);
    for (let p = start; p < stop; p += MOST_ENTRIES) {
      const count = min(MOST_ENTRIES, stop - p);
      listValuesFirst(p, count, pairRow, dy, bytes(outputs), values + bytes(unit), bytes(size));
      addOuterProducts(scratch, count, w, bytes(outputs), height, outputs, alpha, accumulate != 0 || p > start);
    }
  }
}

/** The same gradient, of open blocks alone, which goes into the rule of an optimizer and nowhere else. Items as before. */
export function blocksToDenseUpdate(
  begin: i32, end: i32, values: usize, dy: usize, weights: usize, first: usize, second: usize, rule: usize,
  blockStart: usize, pairRow: usize, pairs: i32, blocks: i32, size: i32, outputs: i32,
): void {
  const slab = max(1, SLAB / (max(1, outputs) * TILE_HEIGHT)) * TILE_HEIGHT;
  const slabs = ceilDivide(size, slab);
  const gradient = scratch + GRADIENT;
  for (let item = begin; item < end; item++) {
    const k = item / slabs;
    const unit = (item % slabs) * slab;
    const height = min(slab, size - unit);
    const offset = bytes(outputs) * (k * size + unit);
    const start = at(blockStart, k);
    const stop = at(blockStart, k + 1);
    if (start == stop) continue;
    for (let p = start; p < stop; p += MOST_ENTRIES) {
      const count = min(MOST_ENTRIES, stop - p);
      listValuesFirst(p, count, pairRow, dy, bytes(outputs), values + bytes(unit), bytes(size));
      addOuterProducts(scratch, count, gradient, bytes(outputs), height, outputs, 1, p > start);
    }
    update(rule, height * outputs, weights + offset, gradient, first + offset, second + offset);
  }
}
