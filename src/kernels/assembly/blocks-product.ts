// Products of listed rows with a matrix: second += first · w. See blocks-rows.ts for lists.
//
// A register tile multiplies 2 to 6 rows by 8 columns: with 12 sums, two vectors of w and one element it fills the 15
// vector registers that V8 hands out on x86-64. A single row is bound by memory: it passes over w in its own order.
// The products of one output are added in ascending order of the depth, chunk after chunk.
import { addLanes, bytes, ceilDivide, ENTRY, first, loadLanes, multiplyAdd, second, storeLanes } from './blocks-rows';

/** A chunk of w this deep and a panel this wide stay in the first-level cache while all rows pass over them. */
const CHUNK_DEPTH: i32 = 32;
const PANEL: i32 = 64;
const MOST_ROWS: i32 = 6;
const LINE: usize = 64;

/**
 * second[n][0 … columns) += Σ_k first[n][k]·w[k][0 … columns) over k < depth, for `count` entries of the list; rows of w
 * are `step` bytes apart.
 */
export function addProducts(list: usize, count: i32, w: usize, step: usize, depth: i32, columns: i32): void {
  if (count == 1) return addRow(first(list, 0), w, step, depth, columns, second(list, 0));
  for (let k = 0; k < depth; k += CHUNK_DEPTH) {
    const chunk = min(CHUNK_DEPTH, depth - k);
    const below = w + step * chunk;
    for (let c = 0; c < columns; c += PANEL) {
      const right = columns - c - PANEL;
      const next = right > 0 ? w + bytes(c + PANEL) : below;
      const nextColumns = min(PANEL, right > 0 ? right : columns);
      const nextEnd = right > 0 ? next + step * chunk : next + step * min(chunk, depth - k - chunk);
      addPanel(
        list, count, bytes(k), bytes(c), w + bytes(c), step, chunk, min(PANEL, columns - c),
        next, nextEnd, nextColumns,
      );
    }
    w = below;
  }
}

/**
 * One panel of one chunk, `from` and `to` bytes into the rows. Between tiles it touches a few rows of the panel that
 * comes next, so that the hardware fetches that panel while this one is worked on. (WebAssembly has no prefetch.)
 */
function addPanel(
  list: usize, count: i32, from: usize, to: usize, w: usize, step: usize, depth: i32, columns: i32,
  next: usize, nextEnd: usize, nextColumns: i32,
): void {
  let groups = ceilDivide(count, MOST_ROWS);
  const touched = ceilDivide(depth, groups * ceilDivide(columns, 8));
  for (let n = 0; n < count;) {
    const rows = ceilDivide(count - n, groups--);
    const entries = list + ENTRY * n;
    for (let c = 0; c < columns; c += 8) {
      for (let i = 0; i < touched && next < nextEnd; i++, next += step) touch(next, nextColumns);
      const rest = columns - c;
      if (rest >= 8) addTile8(rows, entries, from, to + bytes(c), w + bytes(c), step, depth);
      else {
        addTile4(rows, min(4, rest), entries, from, to + bytes(c), w + bytes(c), step, depth);
        if (rest > 4) addTile4(rows, rest - 4, entries, from, to + bytes(c + 4), w + bytes(c + 4), step, depth);
      }
    }
    n += rows;
  }
}

/** Loads a byte of every line. */
// @ts-ignore: decorator
@inline
function touch(row: usize, columns: i32): void {
  for (let line: usize = 0; line < bytes(columns); line += LINE) load<u8>(row + line);
}

/** y[0 … columns) += Σ_k x[k]·w[k][0 … columns): four rows of w at a time, each read from left to right. */
function addRow(x: usize, w: usize, step: usize, depth: i32, columns: i32, y: usize): void {
  let k = 0;
  for (; k + 4 <= depth; k += 4, x += 16) {
    const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4);
    const x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
    let w0 = w, w1 = w0 + step, w2 = w1 + step, w3 = w2 + step;
    w = w3 + step;
    let to = y;
    let c = 0;
    for (; c + 4 <= columns; c += 4) {
      const two = multiplyAdd(x1, v128.load(w1), multiplyAdd(x0, v128.load(w0), v128.load(to)));
      v128.store(to, multiplyAdd(x3, v128.load(w3), multiplyAdd(x2, v128.load(w2), two)));
      to += 16, w0 += 16, w1 += 16, w2 += 16, w3 += 16;
    }
    const rest = columns - c;
    if (rest == 0) continue;
    const two = multiplyAdd(x1, loadLanes(w1, rest), multiplyAdd(x0, loadLanes(w0, rest), loadLanes(to, rest)));
    storeLanes(to, multiplyAdd(x3, loadLanes(w3, rest), multiplyAdd(x2, loadLanes(w2, rest), two)), rest);
  }
  for (; k < depth; k++, x += 4, w += step) {
    const x0 = v128.load32_splat(x);
    for (let c = 0; c < columns; c += 4) {
      const lanes = min(4, columns - c);
      const to = y + bytes(c);
      storeLanes(to, multiplyAdd(x0, loadLanes(w + bytes(c), lanes), loadLanes(to, lanes)), lanes);
    }
  }
}

/**
 * second[n][0 … lanes) += Σ_k first[n][k]·w[k][0 … lanes) for `rows` (a constant, 2 to 6) entries of the list, where rows
 * of w are `step` bytes apart. `wide` (a constant): lanes is 8; else lanes is at most 4.
 */
// @ts-ignore: decorator
@inline
function addProduct(
  rows: i32, wide: bool, lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32,
): void {
  let x0 = first(list, 0) + from;
  let x1 = first(list, 1) + from;
  let x2 = rows > 2 ? first(list, 2) + from : 0;
  let x3 = rows > 3 ? first(list, 3) + from : 0;
  let x4 = rows > 4 ? first(list, 4) + from : 0;
  let x5 = rows > 5 ? first(list, 5) + from : 0;
  let b0 = wide ? v128.load(w) : loadLanes(w, lanes), b1 = b0;
  if (wide) b1 = v128.load(w, 16);
  let x = v128.load32_splat(x0);
  let s00 = f32x4.mul(x, b0), s01 = f32x4.mul(x, b1);
  let s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
  x = v128.load32_splat(x1), s10 = f32x4.mul(x, b0), s11 = f32x4.mul(x, b1);
  if (rows > 2) x = v128.load32_splat(x2), s20 = f32x4.mul(x, b0), s21 = f32x4.mul(x, b1);
  if (rows > 3) x = v128.load32_splat(x3), s30 = f32x4.mul(x, b0), s31 = f32x4.mul(x, b1);
  if (rows > 4) x = v128.load32_splat(x4), s40 = f32x4.mul(x, b0), s41 = f32x4.mul(x, b1);
  if (rows > 5) x = v128.load32_splat(x5), s50 = f32x4.mul(x, b0), s51 = f32x4.mul(x, b1);
  for (const end = x0 + bytes(depth - 1); x0 < end;) {
    w += step;
    b0 = wide ? v128.load(w) : loadLanes(w, lanes);
    if (wide) b1 = v128.load(w, 16);
    x = v128.load32_splat(x0, 4), x0 += 4;
    s00 = multiplyAdd(x, b0, s00);
    if (wide) s01 = multiplyAdd(x, b1, s01);
    x = v128.load32_splat(x1, 4), x1 += 4;
    s10 = multiplyAdd(x, b0, s10);
    if (wide) s11 = multiplyAdd(x, b1, s11);
    if (rows > 2) {
      x = v128.load32_splat(x2, 4), x2 += 4;
      s20 = multiplyAdd(x, b0, s20);
      if (wide) s21 = multiplyAdd(x, b1, s21);
    }
    if (rows > 3) {
      x = v128.load32_splat(x3, 4), x3 += 4;
      s30 = multiplyAdd(x, b0, s30);
      if (wide) s31 = multiplyAdd(x, b1, s31);
    }
    if (rows > 4) {
      x = v128.load32_splat(x4, 4), x4 += 4;
      s40 = multiplyAdd(x, b0, s40);
      if (wide) s41 = multiplyAdd(x, b1, s41);
    }
    if (rows > 5) {
      x = v128.load32_splat(x5, 4), x5 += 4;
      s50 = multiplyAdd(x, b0, s50);
      if (wide) s51 = multiplyAdd(x, b1, s51);
    }
  }
  addTo(second(list, 0) + to, s00, s01, wide, lanes);
  addTo(second(list, 1) + to, s10, s11, wide, lanes);
  if (rows > 2) addTo(second(list, 2) + to, s20, s21, wide, lanes);
  if (rows > 3) addTo(second(list, 3) + to, s30, s31, wide, lanes);
  if (rows > 4) addTo(second(list, 4) + to, s40, s41, wide, lanes);
  if (rows > 5) addTo(second(list, 5) + to, s50, s51, wide, lanes);
}

// @ts-ignore: decorator
@inline
function addTo(to: usize, s0: v128, s1: v128, wide: bool, lanes: i32): void {
  if (!wide) return addLanes(to, s0, lanes);
  v128.store(to, f32x4.add(v128.load(to), s0));
  v128.store(to, f32x4.add(v128.load(to, 16), s1), 16);
}

function add2x8(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(2, true, 8, list, from, to, w, step, depth);
}
function add3x8(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(3, true, 8, list, from, to, w, step, depth);
}
function add4x8(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(4, true, 8, list, from, to, w, step, depth);
}
function add5x8(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(5, true, 8, list, from, to, w, step, depth);
}
function add6x8(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(6, true, 8, list, from, to, w, step, depth);
}
function add2x4(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(2, false, lanes, list, from, to, w, step, depth);
}
function add3x4(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(3, false, lanes, list, from, to, w, step, depth);
}
function add4x4(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(4, false, lanes, list, from, to, w, step, depth);
}
function add5x4(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(5, false, lanes, list, from, to, w, step, depth);
}
function add6x4(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(6, false, lanes, list, from, to, w, step, depth);
}

// @ts-ignore: decorator
@inline
export function addTile8(rows: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  switch (rows) {
    case 2: return add2x8(list, from, to, w, step, depth);
    case 3: return add3x8(list, from, to, w, step, depth);
    case 4: return add4x8(list, from, to, w, step, depth);
    case 5: return add5x8(list, from, to, w, step, depth);
    default: return add6x8(list, from, to, w, step, depth);
  }
}

// @ts-ignore: decorator
@inline
export function addTile4(rows: i32, lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  switch (rows) {
    case 2: return add2x4(lanes, list, from, to, w, step, depth);
    case 3: return add3x4(lanes, list, from, to, w, step, depth);
    case 4: return add4x4(lanes, list, from, to, w, step, depth);
    case 5: return add5x4(lanes, list, from, to, w, step, depth);
    default: return add6x4(lanes, list, from, to, w, step, depth);
  }
}
