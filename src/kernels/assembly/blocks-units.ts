// Products that go example by example: for blocks of one unit, and where a row of the result is short.
import { addLanes, at, bytes, ceilDivide, loadLanes, multiplyAdd, sumOfLanes } from './blocks-rows';

const MOST_ROWS: i32 = 5;

/**
 * values[p] = base + ⟨matrix[row(p)], w⟩ for the pairs p in [begin, end) of one unit, whose weights w are contiguous.
 * Rows of the matrix are `columns` elements apart.
 */
export function unitDots(
  begin: i32, end: i32, matrix: usize, w: usize, base: f32, values: usize, pairRow: usize, columns: i32,
): void {
  let groups = ceilDivide(end - begin, MOST_ROWS);
  for (let p = begin; p < end;) {
    const rows = ceilDivide(end - p, groups--);
    const list = pairRow + bytes(p), to = values + bytes(p);
    if (rows == 5) dots5(list, matrix, w, base, to, columns);
    else if (rows == 4) dots4(list, matrix, w, base, to, columns);
    else if (rows == 3) dots3(list, matrix, w, base, to, columns);
    else if (rows == 2) dots2(list, matrix, w, base, to, columns);
    else dots1(list, matrix, w, base, to, columns);
    p += rows;
  }
}

function dots1(list: usize, matrix: usize, w: usize, base: f32, to: usize, columns: i32): void {
  dots(1, list, matrix, w, base, to, columns);
}
function dots2(list: usize, matrix: usize, w: usize, base: f32, to: usize, columns: i32): void {
  dots(2, list, matrix, w, base, to, columns);
}
function dots3(list: usize, matrix: usize, w: usize, base: f32, to: usize, columns: i32): void {
  dots(3, list, matrix, w, base, to, columns);
}
function dots4(list: usize, matrix: usize, w: usize, base: f32, to: usize, columns: i32): void {
  dots(4, list, matrix, w, base, to, columns);
}
function dots5(list: usize, matrix: usize, w: usize, base: f32, to: usize, columns: i32): void {
  dots(5, list, matrix, w, base, to, columns);
}

/** Two vectors of sums for each of `rows` (a constant, 1 to 5) rows: even and odd vectors of the columns. */
// @ts-ignore: decorator
@inline
function dots(rows: i32, list: usize, matrix: usize, w: usize, base: f32, to: usize, columns: i32): void {
  const step = bytes(columns);
  let x0 = matrix + step * at(list, 0);
  let x1 = rows > 1 ? matrix + step * at(list, 1) : 0;
  let x2 = rows > 2 ? matrix + step * at(list, 2) : 0;
  let x3 = rows > 3 ? matrix + step * at(list, 3) : 0;
  let x4 = rows > 4 ? matrix + step * at(list, 4) : 0;
  let s00 = f32x4.splat(0), s10 = s00, s20 = s00, s30 = s00, s40 = s00;
  let s01 = s00, s11 = s00, s21 = s00, s31 = s00, s41 = s00;
  for (const end = w + bytes(columns & ~7); w < end; w += 32) {
    let y = v128.load(w);
    s00 = multiplyAdd(v128.load(x0), y, s00);
    if (rows > 1) s10 = multiplyAdd(v128.load(x1), y, s10);
    if (rows > 2) s20 = multiplyAdd(v128.load(x2), y, s20);
    if (rows > 3) s30 = multiplyAdd(v128.load(x3), y, s30);
    if (rows > 4) s40 = multiplyAdd(v128.load(x4), y, s40);
    y = v128.load(w, 16);
    s01 = multiplyAdd(v128.load(x0, 16), y, s01), x0 += 32;
    if (rows > 1) s11 = multiplyAdd(v128.load(x1, 16), y, s11), x1 += 32;
    if (rows > 2) s21 = multiplyAdd(v128.load(x2, 16), y, s21), x2 += 32;
    if (rows > 3) s31 = multiplyAdd(v128.load(x3, 16), y, s31), x3 += 32;
    if (rows > 4) s41 = multiplyAdd(v128.load(x4, 16), y, s41), x4 += 32;
  }
  for (let rest = columns & 7; rest > 0; rest -= 4, w += 16) {
    const lanes = min(4, rest);
    const y = loadLanes(w, lanes);
    s00 = multiplyAdd(loadLanes(x0, lanes), y, s00), x0 += 16;
    if (rows > 1) s10 = multiplyAdd(loadLanes(x1, lanes), y, s10), x1 += 16;
    if (rows > 2) s20 = multiplyAdd(loadLanes(x2, lanes), y, s20), x2 += 16;
    if (rows > 3) s30 = multiplyAdd(loadLanes(x3, lanes), y, s30), x3 += 16;
    if (rows > 4) s40 = multiplyAdd(loadLanes(x4, lanes), y, s40), x4 += 16;
  }
  store<f32>(to, base + sumOfLanes(f32x4.add(s00, s01)));
  if (rows > 1) store<f32>(to, base + sumOfLanes(f32x4.add(s10, s11)), 4);
  if (rows > 2) store<f32>(to, base + sumOfLanes(f32x4.add(s20, s21)), 8);
  if (rows > 3) store<f32>(to, base + sumOfLanes(f32x4.add(s30, s31)), 12);
  if (rows > 4) store<f32>(to, base + sumOfLanes(f32x4.add(s40, s41)), 16);
}

/**
 * y[0 … columns) += Σ over the open blocks k of an example, Σ_j values[p][j]·w[k·size + j][0 … columns), where p is the
 * pair of k and the `count` pairs stand in rowPair; rows of w are `step` bytes apart.
 */
export function addOpenRows(
  rowPair: usize, count: i32, values: usize, pairBlock: usize, size: i32, w: usize, step: usize, y: usize, columns: i32,
): void {
  let c = 0;
  for (; c + 48 <= columns; c += 48) add48(rowPair, count, values, pairBlock, size, w + bytes(c), step, y + bytes(c));
  for (; c + 16 <= columns; c += 16) add16(rowPair, count, values, pairBlock, size, w + bytes(c), step, y + bytes(c));
  for (; c < columns; c += 8)
    add8(rowPair, count, values, pairBlock, size, w + bytes(c), step, y + bytes(c), min(8, columns - c));
}

function add48(
  rowPair: usize, count: i32, values: usize, pairBlock: usize, size: i32, w: usize, step: usize, y: usize,
): void {
  let s0 = v128.load(y), s1 = v128.load(y, 16), s2 = v128.load(y, 32), s3 = v128.load(y, 48);
  let s4 = v128.load(y, 64), s5 = v128.load(y, 80), s6 = v128.load(y, 96), s7 = v128.load(y, 112);
  let s8 = v128.load(y, 128), s9 = v128.load(y, 144), s10 = v128.load(y, 160), s11 = v128.load(y, 176);
  for (const end = rowPair + bytes(count); rowPair < end; rowPair += 4) {
    const p = load<i32>(rowPair);
    let from = w + step * (at(pairBlock, p) * size);
    let v = values + bytes(p * size);
    for (const stop = v + bytes(size); v < stop; v += 4, from += step) {
      const x = v128.load32_splat(v);
      s0 = multiplyAdd(x, v128.load(from), s0), s1 = multiplyAdd(x, v128.load(from, 16), s1);
      s2 = multiplyAdd(x, v128.load(from, 32), s2), s3 = multiplyAdd(x, v128.load(from, 48), s3);
      s4 = multiplyAdd(x, v128.load(from, 64), s4), s5 = multiplyAdd(x, v128.load(from, 80), s5);
      s6 = multiplyAdd(x, v128.load(from, 96), s6), s7 = multiplyAdd(x, v128.load(from, 112), s7);
      s8 = multiplyAdd(x, v128.load(from, 128), s8), s9 = multiplyAdd(x, v128.load(from, 144), s9);
      s10 = multiplyAdd(x, v128.load(from, 160), s10), s11 = multiplyAdd(x, v128.load(from, 176), s11);
    }
  }
  v128.store(y, s0), v128.store(y, s1, 16), v128.store(y, s2, 32), v128.store(y, s3, 48);
  v128.store(y, s4, 64), v128.store(y, s5, 80), v128.store(y, s6, 96), v128.store(y, s7, 112);
  v128.store(y, s8, 128), v128.store(y, s9, 144), v128.store(y, s10, 160), v128.store(y, s11, 176);
}

function add16(
  rowPair: usize, count: i32, values: usize, pairBlock: usize, size: i32, w: usize, step: usize, y: usize,
): void {
  let s0 = v128.load(y), s1 = v128.load(y, 16), s2 = v128.load(y, 32), s3 = v128.load(y, 48);
  for (const end = rowPair + bytes(count); rowPair < end; rowPair += 4) {
    const p = load<i32>(rowPair);
    let from = w + step * (at(pairBlock, p) * size);
    let v = values + bytes(p * size);
    for (const stop = v + bytes(size); v < stop; v += 4, from += step) {
      const x = v128.load32_splat(v);
      s0 = multiplyAdd(x, v128.load(from), s0), s1 = multiplyAdd(x, v128.load(from, 16), s1);
      s2 = multiplyAdd(x, v128.load(from, 32), s2), s3 = multiplyAdd(x, v128.load(from, 48), s3);
    }
  }
  v128.store(y, s0), v128.store(y, s1, 16), v128.store(y, s2, 32), v128.store(y, s3, 48);
}

/** 1 to 8 columns; even and odd products are summed apart, because a single sum would wait for itself. */
function add8(
  rowPair: usize, count: i32, values: usize, pairBlock: usize, size: i32, w: usize, step: usize, y: usize, columns: i32,
): void {
  const left = min(4, columns), right = columns - left;
  let s0 = f32x4.splat(0), s1 = s0, t0 = s0, t1 = s0;
  for (const end = rowPair + bytes(count); rowPair < end; rowPair += 4) {
    const p = load<i32>(rowPair);
    let from = w + step * (at(pairBlock, p) * size);
    let v = values + bytes(p * size);
    const stop = v + bytes(size);
    for (; v + 4 < stop; v += 8, from += 2 * step) {
      const x = v128.load32_splat(v), z = v128.load32_splat(v, 4);
      s0 = multiplyAdd(x, loadLanes(from, left), s0), t0 = multiplyAdd(z, loadLanes(from + step, left), t0);
      if (right == 0) continue;
      s1 = multiplyAdd(x, loadLanes(from + 16, right), s1);
      t1 = multiplyAdd(z, loadLanes(from + step + 16, right), t1);
    }
    if (v == stop) continue;
    const x = v128.load32_splat(v);
    s0 = multiplyAdd(x, loadLanes(from, left), s0);
    if (right) s1 = multiplyAdd(x, loadLanes(from + 16, right), s1);
  }
  addLanes(y, f32x4.add(s0, t0), left);
  if (right) addLanes(y + 16, f32x4.add(s1, t1), right);
}
