// Products of few rows, or of a few steps of the depth, without packing. See src/kernels/matmul-few.ts.
//
// Every element is summed as matmulPacked sums it: in order within a block of the depth, block after block added to the base. So
// the bits are the same, and how many rows there are decides about time alone.
import { addOuterProducts } from './blocks-outer';
import { addTile4, addTile8 } from './blocks-product';
import {
  addLanes, bytes, ceilDivide, clearRow, copyRow, ENTRY, first, loadLanes, multiplyAdd, second, setEntry,
} from './blocks-rows';
import { blockDepth } from './matmul';
import { scratch } from './scratch';

/** Columns of C in one item of matmulFewRows and of matmulFewRowsTransposed. */
const PANEL: i32 = 64;
/** Elements of C, about, in one item of matmulFewSteps. */
const SLAB: i32 = 6144;
const TILE_HEIGHT: i32 = 6;
const MOST_ROWS: i32 = 6;

/** Lists the rows of A with those of C, which begin with their base. */
function listRows(
  a: usize, aRow: usize, c: usize, cRow: usize, rows: i32, columns: i32, bias: usize, accumulate: i32,
): void {
  for (let r = 0; r < rows; r++, a += aRow, c += cRow) {
    if (!accumulate) copyRow(c, bias, columns);
    setEntry(scratch, r, a, c);
  }
}

/** An item is a panel of columns of C. */
export function matmulFewRows(
  begin: i32, end: i32, a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, aRow: i32, bRow: i32, cRow: i32, bias: usize,
  accumulate: i32,
): void {
  const depth = blockDepth(k);
  for (let item = begin; item < end; item++) {
    const columns = min(PANEL, n - item * PANEL);
    const o = bytes(item * PANEL);
    listRows(a, bytes(aRow), c + o, bytes(cRow), m, columns, bias ? bias + o : 0, accumulate);
    for (let p = 0; p < k; p += depth)
      addRows(m, bytes(p), b + o + bytes(bRow) * p, bytes(bRow), min(depth, k - p), columns);
  }
}

/** One block of the depth, `from` bytes into the listed rows. */
function addRows(count: i32, from: usize, w: usize, step: usize, depth: i32, columns: i32): void {
  let groups = ceilDivide(count, MOST_ROWS);
  for (let r = 0; r < count;) {
    const rows = ceilDivide(count - r, groups--);
    const list = scratch + ENTRY * r;
    let j = 0;
    if (rows == 1) {
      const x = first(list, 0) + from, y = second(list, 0);
      for (; j + 32 <= columns; j += 32) addRow32(x, w + bytes(j), step, depth, y + bytes(j));
      for (; j < columns; j += 4) addRow4(x, w + bytes(j), step, depth, y + bytes(j), min(4, columns - j));
    } else {
      for (; j + 8 <= columns; j += 8) addTile8(rows, list, from, bytes(j), w + bytes(j), step, depth);
      for (; j < columns; j += 4) addTile4(rows, min(4, columns - j), list, from, bytes(j), w + bytes(j), step, depth);
    }
    r += rows;
  }
}

function addRow32(x: usize, w: usize, step: usize, depth: i32, y: usize): void {
  // What is added to −0 stays as it is, −0 too.
  let s0 = f32x4.splat(-0.0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (const end = x + bytes(depth); x < end; x += 4, w += step) {
    const a = v128.load32_splat(x);
    s0 = multiplyAdd(a, v128.load(w), s0), s1 = multiplyAdd(a, v128.load(w, 16), s1);
    s2 = multiplyAdd(a, v128.load(w, 32), s2), s3 = multiplyAdd(a, v128.load(w, 48), s3);
    s4 = multiplyAdd(a, v128.load(w, 64), s4), s5 = multiplyAdd(a, v128.load(w, 80), s5);
    s6 = multiplyAdd(a, v128.load(w, 96), s6), s7 = multiplyAdd(a, v128.load(w, 112), s7);
  }
  addLanes(y, s0, 4), addLanes(y + 16, s1, 4), addLanes(y + 32, s2, 4), addLanes(y + 48, s3, 4);
  addLanes(y + 64, s4, 4), addLanes(y + 80, s5, 4), addLanes(y + 96, s6, 4), addLanes(y + 112, s7, 4);
}

function addRow4(x: usize, w: usize, step: usize, depth: i32, y: usize, lanes: i32): void {
  let sum = f32x4.splat(-0.0);
  for (const end = x + bytes(depth); x < end; x += 4, w += step)
    sum = multiplyAdd(v128.load32_splat(x), loadLanes(w, lanes), sum);
  addLanes(y, sum, lanes);
}

/** An item is a panel of columns of C. */
export function matmulFewRowsTransposed(
  begin: i32, end: i32, a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, aRow: i32, bColumn: i32, cRow: i32, bias: usize,
  accumulate: i32,
): void {
  const depth = blockDepth(k);
  for (let item = begin; item < end; item++) {
    const columns = min(PANEL, n - item * PANEL);
    const o = bytes(item * PANEL);
    listRows(a, bytes(aRow), c + o, bytes(cRow), m, columns, bias ? bias + o : 0, accumulate);
    for (let p = 0; p < k; p += depth)
      addColumns(m, bytes(p), b + o * bColumn + bytes(p), bytes(bColumn), min(depth, k - p), columns);
  }
}

/** One block of the depth; rows of w are columns of B. One or two rows at a time: vectors of w are transposed in registers. */
function addColumns(count: i32, from: usize, w: usize, step: usize, depth: i32, columns: i32): void {
  for (let j = 0; j < columns; j += 8, w += 8 * step) {
    const wide = columns - j >= 8;
    let r = 0;
    for (; r + 2 <= count; r += 2) {
      const list = scratch + ENTRY * r;
      if (wide) columns2x8(list, from, bytes(j), w, step, depth);
      else {
        columns2x4(min(4, columns - j), list, from, bytes(j), w, step, depth);
        if (columns - j > 4) columns2x4(columns - j - 4, list, from, bytes(j + 4), w + 4 * step, step, depth);
      }
    }
    if (r == count) continue;
    const list = scratch + ENTRY * r;
    if (wide) columns1x8(list, from, bytes(j), w, step, depth);
    else {
      columns1x4(min(4, columns - j), list, from, bytes(j), w, step, depth);
      if (columns - j > 4) columns1x4(columns - j - 4, list, from, bytes(j + 4), w + 4 * step, step, depth);
    }
  }
}

/**
 * second[n][0 … lanes) += Σ_k first[n][k]·w[0 … lanes)[k] for `rows` (a constant, 1 or 2) entries of the list. `wide` (a constant): eight rows
 * of w, else `lanes` (1 to 4) of them.
 */
// @ts-ignore: decorator
@inline
function addTurned(
  rows: i32, wide: bool, lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32,
): void {
  let x = first(list, 0) + from, z = rows > 1 ? first(list, 1) + from : 0;
  let w0 = w;
  let w1 = lanes > 1 ? w0 + step : w0;
  let w2 = lanes > 2 ? w1 + step : w1;
  let w3 = lanes > 3 ? w2 + step : w2;
  const far: usize = 4 * step;
  let s0 = f32x4.splat(-0.0), s1 = s0, t0 = s0, t1 = s0;
  const rest = depth & 3;
  for (const end = x + bytes(depth - rest); x < end;) {
    let a0 = v128.load(w0), a1 = v128.load(w1), a2 = v128.load(w2), a3 = v128.load(w3);
    let low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
    let low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
    let b = v128.shuffle<u64>(low01, low23, 0, 2);
    s0 = multiplyAdd(v128.load32_splat(x), b, s0);
    if (rows > 1) t0 = multiplyAdd(v128.load32_splat(z), b, t0);
    b = v128.shuffle<u64>(low01, low23, 1, 3);
    s0 = multiplyAdd(v128.load32_splat(x, 4), b, s0);
    if (rows > 1) t0 = multiplyAdd(v128.load32_splat(z, 4), b, t0);
    b = v128.shuffle<u64>(high01, high23, 0, 2);
    s0 = multiplyAdd(v128.load32_splat(x, 8), b, s0);
    if (rows > 1) t0 = multiplyAdd(v128.load32_splat(z, 8), b, t0);
    b = v128.shuffle<u64>(high01, high23, 1, 3);
    s0 = multiplyAdd(v128.load32_splat(x, 12), b, s0);
    if (rows > 1) t0 = multiplyAdd(v128.load32_splat(z, 12), b, t0);
    if (wide) {
      a0 = v128.load(w0 + far), a1 = v128.load(w1 + far), a2 = v128.load(w2 + far), a3 = v128.load(w3 + far);
      low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
      low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
      b = v128.shuffle<u64>(low01, low23, 0, 2);
      s1 = multiplyAdd(v128.load32_splat(x), b, s1);
      if (rows > 1) t1 = multiplyAdd(v128.load32_splat(z), b, t1);
      b = v128.shuffle<u64>(low01, low23, 1, 3);
      s1 = multiplyAdd(v128.load32_splat(x, 4), b, s1);
      if (rows > 1) t1 = multiplyAdd(v128.load32_splat(z, 4), b, t1);
      b = v128.shuffle<u64>(high01, high23, 0, 2);
      s1 = multiplyAdd(v128.load32_splat(x, 8), b, s1);
      if (rows > 1) t1 = multiplyAdd(v128.load32_splat(z, 8), b, t1);
      b = v128.shuffle<u64>(high01, high23, 1, 3);
      s1 = multiplyAdd(v128.load32_splat(x, 12), b, s1);
      if (rows > 1) t1 = multiplyAdd(v128.load32_splat(z, 12), b, t1);
    }
    x += 16, w0 += 16, w1 += 16, w2 += 16, w3 += 16;
    if (rows > 1) z += 16;
  }
  for (let p = 0; p < rest; p++, x += 4, z += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4) {
    const a = v128.load32_splat(x);
    let b = gatherFour(w0, w1, w2, w3);
    s0 = multiplyAdd(a, b, s0);
    if (rows > 1) t0 = multiplyAdd(v128.load32_splat(z), b, t0);
    if (!wide) continue;
    b = gatherFour(w0 + far, w1 + far, w2 + far, w3 + far);
    s1 = multiplyAdd(a, b, s1);
    if (rows > 1) t1 = multiplyAdd(v128.load32_splat(z), b, t1);
  }
  const y = second(list, 0) + to;
  addLanes(y, s0, lanes);
  if (wide) addLanes(y + 16, s1, 4);
  if (rows == 1) return;
  const v = second(list, 1) + to;
  addLanes(v, t0, lanes);
  if (wide) addLanes(v + 16, t1, 4);
}

// @ts-ignore: decorator
@inline
function gatherFour(w0: usize, w1: usize, w2: usize, w3: usize): v128 {
  const two = v128.load32_lane(w1, v128.load32_zero(w0), 1);
  return v128.load32_lane(w3, v128.load32_lane(w2, two, 2), 3);
}

function columns1x8(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTurned(1, true, 4, list, from, to, w, step, depth);
}
function columns2x8(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTurned(2, true, 4, list, from, to, w, step, depth);
}
function columns1x4(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTurned(1, false, lanes, list, from, to, w, step, depth);
}
function columns2x4(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTurned(2, false, lanes, list, from, to, w, step, depth);
}

/** An item is a slab of rows of C. */
export function matmulFewSteps(
  begin: i32, end: i32, a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, aColumn: i32, bRow: i32, cRow: i32,
  accumulate: i32,
): void {
  const slab = max(1, SLAB / (max(1, n) * TILE_HEIGHT)) * TILE_HEIGHT;
  for (let item = begin; item < end; item++) {
    const row = item * slab;
    const height = min(slab, m - row);
    const to = c + bytes(cRow) * row;
    for (let p = 0; p < k; p++) setEntry(scratch, p, a + bytes(aColumn) * p + bytes(row), b + bytes(bRow) * p);
    if (k > 0) addOuterProducts(scratch, k, to, bytes(cRow), height, n, 1, accumulate != 0);
    else if (!accumulate) for (let r = 0; r < height; r++) clearRow(to + bytes(cRow) * r, n);
  }
}
