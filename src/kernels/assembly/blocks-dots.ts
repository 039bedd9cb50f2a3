// Products of one or two listed rows with rows of w as dot products, lane by lane: see blocks-transposed.ts.
import { addLanes, bytes, ENTRY, first, loadLanes, multiplyAdd, second, sumsOfLanes } from './blocks-rows';

/** The chunk `from` bytes into the first rows: every row of w comes to the cache once and serves all listed rows. */
export function addByDots(list: usize, count: i32, from: usize, w: usize, step: usize, depth: i32, columns: i32): void {
  const pairsEnd = list + ENTRY * (count & ~1);
  let c = 0;
  for (; c + 6 <= columns; c += 6, w += 6 * step) {
    let at = list;
    for (; at < pairsEnd; at += 2 * ENTRY) dots2x6(at, from, bytes(c), w, step, depth);
    if (count & 1) dots1x6(at, from, bytes(c), w, step, depth);
  }
  for (; c < columns; c += 4, w += 4 * step) {
    const lanes = min(4, columns - c);
    let at = list;
    for (; at < pairsEnd; at += 2 * ENTRY) dots2(lanes, at, from, bytes(c), w, step, depth);
    if (count & 1) dots1(lanes, at, from, bytes(c), w, step, depth);
  }
}

/** second[n][0 … lanes) += Σ_k first[n][k]·w[0 … lanes)[k] for `rows` (a constant, 1 or 2) entries of the list. */
// @ts-ignore: decorator
@inline
function addDots(rows: i32, lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  let x0 = first(list, 0) + from, x1 = rows > 1 ? first(list, 1) + from : 0;
  let w0 = w;
  let w1 = lanes > 1 ? w0 + step : w0;
  let w2 = lanes > 2 ? w1 + step : w1;
  let w3 = lanes > 3 ? w2 + step : w2;
  let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
  for (const end = x0 + bytes(depth & ~3); x0 < end;) {
    const a = v128.load(x0), b = rows > 1 ? v128.load(x1) : a;
    let y = v128.load(w0);
    s00 = multiplyAdd(a, y, s00);
    if (rows > 1) s10 = multiplyAdd(b, y, s10);
    y = v128.load(w1);
    s01 = multiplyAdd(a, y, s01);
    if (rows > 1) s11 = multiplyAdd(b, y, s11);
    y = v128.load(w2);
    s02 = multiplyAdd(a, y, s02);
    if (rows > 1) s12 = multiplyAdd(b, y, s12);
    y = v128.load(w3);
    s03 = multiplyAdd(a, y, s03);
    if (rows > 1) s13 = multiplyAdd(b, y, s13);
    x0 += 16, x1 += 16, w0 += 16, w1 += 16, w2 += 16, w3 += 16;
  }
  const part = depth & 3;
  if (part) {
    const a = loadLanes(x0, part), b = rows > 1 ? loadLanes(x1, part) : a;
    let y = loadLanes(w0, part);
    s00 = multiplyAdd(a, y, s00);
    if (rows > 1) s10 = multiplyAdd(b, y, s10);
    y = loadLanes(w1, part);
    s01 = multiplyAdd(a, y, s01);
    if (rows > 1) s11 = multiplyAdd(b, y, s11);
    y = loadLanes(w2, part);
    s02 = multiplyAdd(a, y, s02);
    if (rows > 1) s12 = multiplyAdd(b, y, s12);
    y = loadLanes(w3, part);
    s03 = multiplyAdd(a, y, s03);
    if (rows > 1) s13 = multiplyAdd(b, y, s13);
  }
  const sums0 = sumsOfLanes(s00, s01, s02, s03);
  addLanes(second(list, 0) + to, sums0, lanes);
  if (rows == 1) return;
  const sums1 = sumsOfLanes(s10, s11, s12, s13);
  addLanes(second(list, 1) + to, sums1, lanes);
}

export function dots1(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addDots(1, lanes, list, from, to, w, step, depth);
}
export function dots2(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addDots(2, lanes, list, from, to, w, step, depth);
}

/** second[n][0 … 6) += Σ_k first[n][k]·w[0 … 6)[k] for `rows` (a constant, 1 or 2) entries of the list. */
// @ts-ignore: decorator
@inline
function addDots6(rows: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  let x0 = first(list, 0) + from, x1 = rows > 1 ? first(list, 1) + from : 0;
  let w0 = w, w1 = w0 + step, w2 = w1 + step, w3 = w2 + step, w4 = w3 + step, w5 = w4 + step;
  let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s04 = s00, s05 = s00;
  let s10 = s00, s11 = s00, s12 = s00, s13 = s00, s14 = s00, s15 = s00;
  for (const end = x0 + bytes(depth & ~3); x0 < end;) {
    const a = v128.load(x0), b = rows > 1 ? v128.load(x1) : a;
    let y = v128.load(w0);
    s00 = multiplyAdd(a, y, s00);
    if (rows > 1) s10 = multiplyAdd(b, y, s10);
    y = v128.load(w1);
    s01 = multiplyAdd(a, y, s01);
    if (rows > 1) s11 = multiplyAdd(b, y, s11);
    y = v128.load(w2);
    s02 = multiplyAdd(a, y, s02);
    if (rows > 1) s12 = multiplyAdd(b, y, s12);
    y = v128.load(w3);
    s03 = multiplyAdd(a, y, s03);
    if (rows > 1) s13 = multiplyAdd(b, y, s13);
    y = v128.load(w4);
    s04 = multiplyAdd(a, y, s04);
    if (rows > 1) s14 = multiplyAdd(b, y, s14);
    y = v128.load(w5);
    s05 = multiplyAdd(a, y, s05);
    if (rows > 1) s15 = multiplyAdd(b, y, s15);
    x0 += 16, x1 += 16, w0 += 16, w1 += 16, w2 += 16, w3 += 16, w4 += 16, w5 += 16;
  }
  const part = depth & 3;
  if (part) {
    const a = loadLanes(x0, part), b = rows > 1 ? loadLanes(x1, part) : a;
    let y = loadLanes(w0, part);
    s00 = multiplyAdd(a, y, s00);
    if (rows > 1) s10 = multiplyAdd(b, y, s10);
    y = loadLanes(w1, part);
    s01 = multiplyAdd(a, y, s01);
    if (rows > 1) s11 = multiplyAdd(b, y, s11);
    y = loadLanes(w2, part);
    s02 = multiplyAdd(a, y, s02);
    if (rows > 1) s12 = multiplyAdd(b, y, s12);
    y = loadLanes(w3, part);
    s03 = multiplyAdd(a, y, s03);
    if (rows > 1) s13 = multiplyAdd(b, y, s13);
    y = loadLanes(w4, part);
    s04 = multiplyAdd(a, y, s04);
    if (rows > 1) s14 = multiplyAdd(b, y, s14);
    y = loadLanes(w5, part);
    s05 = multiplyAdd(a, y, s05);
    if (rows > 1) s15 = multiplyAdd(b, y, s15);
  }
  const y0 = second(list, 0) + to;
  const last = sumsOfLanes(s04, s05, s14, s15);
  addLanes(y0, sumsOfLanes(s00, s01, s02, s03), 4);
  addLanes(y0 + 16, last, 2);
  if (rows == 1) return;
  const y1 = second(list, 1) + to;
  addLanes(y1, sumsOfLanes(s10, s11, s12, s13), 4);
  addLanes(y1 + 16, v128.shuffle<u64>(last, last, 1, 1), 2);
}

function dots1x6(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addDots6(1, list, from, to, w, step, depth);
}
function dots2x6(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addDots6(2, list, from, to, w, step, depth);
}
