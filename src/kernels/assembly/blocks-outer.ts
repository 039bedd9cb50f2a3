// Products of listed rows, transposed, with listed rows: w = (accumulate ? w : 0) + alpha · firstᵀ · second. See
// blocks-rows.ts for lists. The depth is the length of the list (at least 1); w is written once, from top to bottom.
import { bytes, ENTRY, first, loadLanes, multiplyAdd, second, storeLanes } from './blocks-rows';

/**
 * w[i][0 … columns) = (accumulate ? w : 0) + alpha·Σ_n first[n][i]·second[n][0 … columns) for i < height, over `count`
 * entries of the list; rows of w are `step` bytes apart.
 */
export function addOuterProducts(
  list: usize, count: i32, w: usize, step: usize, height: i32, columns: i32, alpha: f32, accumulate: bool,
): void {
  const factor = f32x4.splat(alpha);
  for (let i = 0; i < height;) {
    const rest = height - i;
    const rows = rest >= 6 ? 6 : rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
    let c = 0;
    if (rows == 1) {
      for (; c + 32 <= columns; c += 32) outer1x32(list, count, bytes(i), bytes(c), w + bytes(c), factor, accumulate);
    }
    for (; c + 8 <= columns; c += 8)
      outerTile8(rows, list, count, bytes(i), bytes(c), w + bytes(c), step, factor, accumulate);
    for (; c < columns; c += 4)
      outerTile4(rows, min(4, columns - c), list, count, bytes(i), bytes(c), w + bytes(c), step, factor, accumulate);
    i += rows;
    w += step * rows;
  }
}

// @ts-ignore: decorator
@inline
function outerTile8(
  rows: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  switch (rows) {
    case 1: return outer1x8(list, count, from, other, w, step, factor, accumulate);
    case 2: return outer2x8(list, count, from, other, w, step, factor, accumulate);
    case 4: return outer4x8(list, count, from, other, w, step, factor, accumulate);
    default: return outer6x8(list, count, from, other, w, step, factor, accumulate);
  }
}

// @ts-ignore: decorator
@inline
function outerTile4(
  rows: i32, lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize,
  factor: v128, accumulate: bool,
): void {
  switch (rows) {
    case 1: return outer1x4(lanes, list, count, from, other, w, step, factor, accumulate);
    case 2: return outer2x4(lanes, list, count, from, other, w, step, factor, accumulate);
    case 4: return outer4x4(lanes, list, count, from, other, w, step, factor, accumulate);
    default: return outer6x4(lanes, list, count, from, other, w, step, factor, accumulate);
  }
}

/** The same for a single row of w, 32 columns wide. */
function outer1x32(
  list: usize, count: i32, from: usize, other: usize, w: usize, factor: v128, accumulate: bool,
): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (let n = 0; n < count; n++) {
    const x = v128.load32_splat(first(list, n) + from);
    const y = second(list, n) + other;
    s0 = multiplyAdd(x, v128.load(y), s0), s1 = multiplyAdd(x, v128.load(y, 16), s1);
    s2 = multiplyAdd(x, v128.load(y, 32), s2), s3 = multiplyAdd(x, v128.load(y, 48), s3);
    s4 = multiplyAdd(x, v128.load(y, 64), s4), s5 = multiplyAdd(x, v128.load(y, 80), s5);
    s6 = multiplyAdd(x, v128.load(y, 96), s6), s7 = multiplyAdd(x, v128.load(y, 112), s7);
  }
  putOuter(w, s0, s1, true, 8, factor, accumulate), putOuter(w + 32, s2, s3, true, 8, factor, accumulate);
  putOuter(w + 64, s4, s5, true, 8, factor, accumulate), putOuter(w + 96, s6, s7, true, 8, factor, accumulate);
}

/**
 * w[i][0 … lanes) = (accumulate ? w : 0) + factor·Σ_n first[n][i]·second[n][·] for `rows` (a constant) rows of w, `from` and
 * `other` bytes into the listed rows. `wide` (a constant): lanes is 8; else lanes is at most 4.
 */
// @ts-ignore: decorator
@inline
function addOuter(
  rows: i32, wide: bool, lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize,
  factor: v128, accumulate: bool,
): void {
  let x = first(list, 0) + from, y = second(list, 0) + other;
  let b0 = wide ? v128.load(y) : loadLanes(y, lanes), b1 = b0;
  if (wide) b1 = v128.load(y, 16);
  let a = v128.load32_splat(x);
  let s00 = f32x4.mul(a, b0), s01 = f32x4.mul(a, b1);
  let s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
  if (rows > 1) a = v128.load32_splat(x, 4), s10 = f32x4.mul(a, b0), s11 = f32x4.mul(a, b1);
  if (rows > 2) a = v128.load32_splat(x, 8), s20 = f32x4.mul(a, b0), s21 = f32x4.mul(a, b1);
  if (rows > 3) a = v128.load32_splat(x, 12), s30 = f32x4.mul(a, b0), s31 = f32x4.mul(a, b1);
  if (rows > 4) a = v128.load32_splat(x, 16), s40 = f32x4.mul(a, b0), s41 = f32x4.mul(a, b1);
  if (rows > 5) a = v128.load32_splat(x, 20), s50 = f32x4.mul(a, b0), s51 = f32x4.mul(a, b1);
  for (const end = list + ENTRY * (count - 1); list < end;) {
    list += ENTRY;
    x = first(list, 0) + from, y = second(list, 0) + other;
    b0 = wide ? v128.load(y) : loadLanes(y, lanes);
    if (wide) b1 = v128.load(y, 16);
    a = v128.load32_splat(x);
    s00 = multiplyAdd(a, b0, s00);
    if (wide) s01 = multiplyAdd(a, b1, s01);
    if (rows > 1) {
      a = v128.load32_splat(x, 4);
      s10 = multiplyAdd(a, b0, s10);
      if (wide) s11 = multiplyAdd(a, b1, s11);
    }
    if (rows > 2) {
      a = v128.load32_splat(x, 8);
      s20 = multiplyAdd(a, b0, s20);
      if (wide) s21 = multiplyAdd(a, b1, s21);
    }
    if (rows > 3) {
      a = v128.load32_splat(x, 12);
      s30 = multiplyAdd(a, b0, s30);
      if (wide) s31 = multiplyAdd(a, b1, s31);
    }
    if (rows > 4) {
      a = v128.load32_splat(x, 16);
      s40 = multiplyAdd(a, b0, s40);
      if (wide) s41 = multiplyAdd(a, b1, s41);
    }
    if (rows > 5) {
      a = v128.load32_splat(x, 20);
      s50 = multiplyAdd(a, b0, s50);
      if (wide) s51 = multiplyAdd(a, b1, s51);
    }
  }
  putOuter(w, s00, s01, wide, lanes, factor, accumulate);
  if (rows > 1) w += step, putOuter(w, s10, s11, wide, lanes, factor, accumulate);
  if (rows > 2) w += step, putOuter(w, s20, s21, wide, lanes, factor, accumulate);
  if (rows > 3) w += step, putOuter(w, s30, s31, wide, lanes, factor, accumulate);
  if (rows > 4) w += step, putOuter(w, s40, s41, wide, lanes, factor, accumulate);
  if (rows > 5) w += step, putOuter(w, s50, s51, wide, lanes, factor, accumulate);
}

// @ts-ignore: decorator
@inline
function putOuter(w: usize, s0: v128, s1: v128, wide: bool, lanes: i32, factor: v128, accumulate: bool): void {
  const base0 = accumulate ? (wide ? v128.load(w) : loadLanes(w, lanes)) : f32x4.splat(0);
  const y0 = multiplyAdd(factor, s0, base0);
  if (!wide) storeLanes(w, y0, lanes);
  else {
    v128.store(w, y0);
    v128.store(w, multiplyAdd(factor, s1, accumulate ? v128.load(w, 16) : f32x4.splat(0)), 16);
  }
}

function outer6x8(
  list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  addOuter(6, true, 8, list, count, from, other, w, step, factor, accumulate);
}
function outer6x4(
  lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  addOuter(6, false, lanes, list, count, from, other, w, step, factor, accumulate);
}
function outer4x8(
  list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  addOuter(4, true, 8, list, count, from, other, w, step, factor, accumulate);
}
function outer4x4(
  lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  addOuter(4, false, lanes, list, count, from, other, w, step, factor, accumulate);
}
function outer2x8(
  list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  addOuter(2, true, 8, list, count, from, other, w, step, factor, accumulate);
}
function outer2x4(
  lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  addOuter(2, false, lanes, list, count, from, other, w, step, factor, accumulate);
}
function outer1x8(
  list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  addOuter(1, true, 8, list, count, from, other, w, step, factor, accumulate);
}
function outer1x4(
  lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, factor: v128, accumulate: bool,
): void {
  addOuter(1, false, lanes, list, count, from, other, w, step, factor, accumulate);
}
