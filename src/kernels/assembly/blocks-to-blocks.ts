// Open blocks times the weights of the open blocks of the next layer, W[blocks2][blocks1·size1][size2]; with its
// gradients. Only pairs of blocks that an example has opened on both sides take part. See src/kernels/blocks-to-blocks.ts.
import { addOuterProducts } from './blocks-outer';
import { addProducts } from './blocks-product';
import { at, bytes, copyRow, MARKS, MOST_ENTRIES, setEntry } from './blocks-rows';
import { addTransposedProducts } from './blocks-transposed';
import { addOpenRows } from './blocks-units';
import { scratch } from './scratch';

/** Where two blocks have no more weights than this, going example by example beats listing what they have in common. */
const FEW_WEIGHTS: i32 = 64;

/** values2[p2] = bias[k2] + Σ over the blocks k1 that its example has opened: values1[p1] · W[k2][rows of k1]. Items: k2. */
export function blocksToBlocks(
  begin: i32, end: i32, values1: usize, weights: usize, bias: usize, values2: usize,
  blockStart1: usize, pairRow1: usize, rowStart1: usize, rowPair1: usize, pairBlock1: usize,
  blockStart2: usize, pairRow2: usize, pairs1: i32, pairs2: i32, rows: i32, blocks1: i32, blocks2: i32,
  size1: i32, size2: i32,
): void {
  const each = bytes(size1 * size2);
  const byExample = size1 * size2 <= FEW_WEIGHTS;
  if (!byExample) clearMarks(rows);
  for (let k2 = begin; k2 < end; k2++) {
    const start = at(blockStart2, k2);
    const stop = at(blockStart2, k2 + 1);
    if (start == stop) continue;
    const w = weights + each * (k2 * blocks1);
    for (let p = start; p < stop; p++) {
      const to = values2 + bytes(p * size2);
      copyRow(to, bias ? bias + bytes(k2 * size2) : 0, size2);
      if (!byExample) continue;
      const r = at(pairRow2, p);
      const open = at(rowStart1, r);
      const count = at(rowStart1, r + 1) - open;
      addOpenRows(rowPair1 + bytes(open), count, values1, pairBlock1, size1, w, bytes(size2), to, size2);
    }
    if (byExample) continue;
    markRows(start, stop, pairRow2);
    for (let k1 = 0; k1 < blocks1; k1++) {
      const stop1 = at(blockStart1, k1 + 1);
      for (let p = at(blockStart1, k1); p < stop1; p += MOST_ENTRIES) {
        const last = min(stop1, p + MOST_ENTRIES);
        const count = listCommon(p, last, pairRow1, values1, bytes(size1), values2, bytes(size2));
        if (count > 0) addProducts(scratch, count, w + each * k1, bytes(size2), size1, size2);
      }
    }
    unmarkRows(start, stop, pairRow2);
  }
}

/** dValues1[p1] = Σ over the blocks k2 that its example has opened: dValues2[p2] · W[k2][rows of k1]ᵀ. Items: k1. */
export function blocksToBlocksValues(
  begin: i32, end: i32, dValues2: usize, weights: usize, dValues1: usize, blockStart1: usize, pairRow1: usize,
  blockStart2: usize, pairRow2: usize, rowStart2: usize, rowPair2: usize, pairBlock2: usize,
  pairs1: i32, pairs2: i32, rows: i32, blocks1: i32, blocks2: i32, size1: i32, size2: i32,
): void {
  const each = bytes(size1 * size2);
  const byExample = size1 * size2 <= FEW_WEIGHTS;
  if (!byExample) clearMarks(rows);
  for (let k1 = begin; k1 < end; k1++) {
    const start = at(blockStart1, k1);
    const stop = at(blockStart1, k1 + 1);
    if (start == stop) continue;
    const w = weights + each * k1;
    if (byExample) {
      for (let p = start; p < stop; p++) {
        const r = at(pairRow1, p);
        const to = dValues1 + bytes(p * size1);
        addOpenColumns(rowStart2, rowPair2, r, dValues2, pairBlock2, w, each * blocks1, to, size1, size2);
      }
      continue;
    }
    for (let p = start; p < stop; p++) copyRow(dValues1 + bytes(p * size1), 0, size1);
    markRows(start, stop, pairRow1);
    for (let k2 = 0; k2 < blocks2; k2++) {
      const stop2 = at(blockStart2, k2 + 1);
      for (let p = at(blockStart2, k2); p < stop2; p += MOST_ENTRIES) {
        const last = min(stop2, p + MOST_ENTRIES);
        const count = listCommon(p, last, pairRow2, dValues2, bytes(size2), dValues1, bytes(size1));
        if (count > 0) addTransposedProducts(scratch, count, w + each * (k2 * blocks1), bytes(size2), size2, size1);
      }
    }
    unmarkRows(start, stop, pairRow1);
  }
}

/** W[k2][rows of k1] = (accumulate ? itself : 0) + alpha · values1ᵀ · dValues2 over the examples that open both. Items: k2. */
export function blocksToBlocksWeights(
  begin: i32, end: i32, values1: usize, dValues2: usize, weights: usize, blockStart1: usize, pairRow1: usize,
  rowStart1: usize, rowPair1: usize, pairBlock1: usize, blockStart2: usize, pairRow2: usize,
  pairs1: i32, pairs2: i32, rows: i32, blocks1: i32, blocks2: i32, size1: i32, size2: i32, alpha: f32, accumulate: i32,
): void {
  const each = bytes(size1 * size2);
  const byExample = size1 * size2 <= FEW_WEIGHTS;
  if (!byExample) clearMarks(rows);
  for (let k2 = begin; k2 < end; k2++) {
    const start = at(blockStart2, k2);
    const stop = at(blockStart2, k2 + 1);
    const w = weights + each * (k2 * blocks1);
    if (!accumulate && (byExample || start == stop)) copyRow(w, 0, blocks1 * size1 * size2);
    if (start == stop) continue;
    if (byExample) {
      for (let p = start; p < stop; p++) {
        const r = at(pairRow2, p);
        for (let n = at(rowStart1, r); n < at(rowStart1, r + 1); n++) {
          const p1 = at(rowPair1, n);
          const to = w + each * at(pairBlock1, p1);
          addScaledOuter(values1 + bytes(p1 * size1), dValues2 + bytes(p * size2), to, size1, size2, alpha);
        }
      }
      continue;
    }
    markRows(start, stop, pairRow2);
    for (let k1 = 0; k1 < blocks1; k1++) {
      const stop1 = at(blockStart1, k1 + 1);
      let written = accumulate != 0;
      for (let p = at(blockStart1, k1); p < stop1; p += MOST_ENTRIES) {
        const last = min(stop1, p + MOST_ENTRIES);
        const count = listCommon(p, last, pairRow1, values1, bytes(size1), dValues2, bytes(size2));
        if (count == 0) continue;
        addOuterProducts(scratch, count, w + each * k1, bytes(size2), size1, size2, alpha, written);
        written = true;
      }
      if (!written) copyRow(w + each * k1, 0, size1 * size2);
    }
    unmarkRows(start, stop, pairRow2);
  }
}

// Marks: of every row, 1 + the pair of the block in hand that it has opened, or 0.

function clearMarks(rows: i32): void {
  memory.fill(scratch + MARKS, 0, bytes(rows));
}

function markRows(start: i32, stop: i32, pairRow: usize): void {
  for (let p = start; p < stop; p++) store<i32>(scratch + MARKS + bytes(at(pairRow, p)), p + 1);
}

function unmarkRows(start: i32, stop: i32, pairRow: usize): void {
  for (let p = start; p < stop; p++) store<i32>(scratch + MARKS + bytes(at(pairRow, p)), 0);
}

/** Lists (row of own values, row of the marked pair's values) for those of the pairs [p, last) whose row is marked. */
function listCommon(
  p: i32, last: i32, pairRow: usize, own: usize, ownStep: usize, marked: usize, markedStep: usize,
): i32 {
  let count = 0;
  for (; p < last; p++) {
    const mark = at(scratch + MARKS, at(pairRow, p));
    setEntry(scratch, count, own + ownStep * p, marked + markedStep * (mark - 1));
    count += i32(mark != 0);
  }
  return count;
}

/** to[i] = Σ over the open blocks k2 of row r, Σ_j dValues2[p2][j]·w[k2][i][j]; blocks of w are `step` bytes apart. */
function addOpenColumns(
  rowStart2: usize, rowPair2: usize, r: i32, dValues2: usize, pairBlock2: usize, w: usize, step: usize,
  to: usize, size1: i32, size2: i32,
): void {
  const begin = at(rowStart2, r);
  const end = at(rowStart2, r + 1);
  for (let i = 0; i < size1; i++) {
    let sum: f32 = 0;
    for (let n = begin; n < end; n++) {
      const p = at(rowPair2, n);
      const from = dValues2 + bytes(p * size2);
      const weight = w + step * at(pairBlock2, p) + bytes(i * size2);
      for (let j = 0; j < size2; j++) sum += load<f32>(from + bytes(j)) * load<f32>(weight + bytes(j));
    }
    store<f32>(to + bytes(i), sum);
  }
}

/** to[i][j] += alpha·x[i]·y[j] */
function addScaledOuter(x: usize, y: usize, to: usize, size1: i32, size2: i32, alpha: f32): void {
  for (let i = 0; i < size1; i++) {
    const factor = alpha * load<f32>(x + bytes(i));
    for (let j = 0; j < size2; j++, to += 4) store<f32>(to, load<f32>(to) + factor * load<f32>(y + bytes(j)));
  }
}
