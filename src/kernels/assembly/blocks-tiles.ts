// Register tiles of the block-sparse products. A tile works on a few listed rows: the list is an array of entries
// (two byte pointers each), so that rows are read and written where they stand. Widths are counted in lanes (Float32
// elements). Every tile adds to its outputs, and adds the products of one output in ascending order of the depth.
//
// V8 hands out 15 vector registers on x86-64: a tile has at most 12 sums, or 10 where four weights are transposed.

import { scratch } from './scratch';

/** Bytes of an entry of a list: the pointer to the row that is read, then the pointer to the other row. */
export const ENTRY: usize = 8;

/** c + a·b: fused where the machine fuses (relaxed SIMD), else rounded twice. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

// @ts-ignore: decorator
@inline
export function bytes(elements: i32): usize {
  return (<usize>elements) << 2;
}

/** The first `lanes` (1 to 4) elements, the rest zeros; reads nothing beyond them. */
// @ts-ignore: decorator
@inline
export function loadLanes(from: usize, lanes: i32): v128 {
  if (lanes == 4) return v128.load(from);
  if (lanes == 1) return v128.load32_zero(from);
  const pair = v128.load64_zero(from);
  return lanes == 2 ? pair : v128.load32_lane(from, pair, 2, 8);
}

/** Writes the first `lanes` (1 to 4) elements and nothing beyond them. */
// @ts-ignore: decorator
@inline
export function storeLanes(to: usize, x: v128, lanes: i32): void {
  if (lanes == 4) v128.store(to, x);
  else if (lanes == 1) v128.store32_lane(to, x, 0);
  else {
    v128.store64_lane(to, x, 0);
    if (lanes == 3) v128.store32_lane(to, x, 2, 8);
  }
}

/** to[0 … columns) = from[0 … columns), or zeros where `from` is 0; memory.copy and memory.fill are slow calls in V8. */
export function copyRow(to: usize, from: usize, columns: i32): void {
  for (let c = 0; c < columns; c += 4) {
    const lanes = min(4, columns - c);
    storeLanes(to + bytes(c), from ? loadLanes(from + bytes(c), lanes) : f32x4.splat(0), lanes);
  }
}

// @ts-ignore: decorator
@inline
export function readRow(list: usize, n: i32): usize {
  return <usize>load<u32>(list + ENTRY * n);
}

// @ts-ignore: decorator
@inline
export function otherRow(list: usize, n: i32): usize {
  return <usize>load<u32>(list + ENTRY * n, 4);
}

/**
 * other[n][0 … lanes) += Σ_k read[n][k]·w[k][0 … lanes) for `rows` (a constant, 1 to 6) entries of the list, where rows
 * of w are `step` bytes apart. `wide` (a constant): lanes is 8; else lanes is at most 4.
 */
// @ts-ignore: decorator
@inline
function addProduct(
  rows: i32, wide: bool, lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32,
): void {
  let x0 = readRow(list, 0) + from;
  let x1 = rows > 1 ? readRow(list, 1) + from : 0;
  let x2 = rows > 2 ? readRow(list, 2) + from : 0;
  let x3 = rows > 3 ? readRow(list, 3) + from : 0;
  let x4 = rows > 4 ? readRow(list, 4) + from : 0;
  let x5 = rows > 5 ? readRow(list, 5) + from : 0;
  let b0 = wide ? v128.load(w) : loadLanes(w, lanes), b1 = b0;
  if (wide) b1 = v128.load(w, 16);
  let x = v128.load32_splat(x0);
  let s00 = f32x4.mul(x, b0), s01 = f32x4.mul(x, b1);
  let s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
  if (rows > 1) x = v128.load32_splat(x1), s10 = f32x4.mul(x, b0), s11 = f32x4.mul(x, b1);
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
    if (rows > 1) {
      x = v128.load32_splat(x1, 4), x1 += 4;
      s10 = multiplyAdd(x, b0, s10);
      if (wide) s11 = multiplyAdd(x, b1, s11);
    }
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
  addTo(otherRow(list, 0) + to, s00, s01, wide, lanes);
  if (rows > 1) addTo(otherRow(list, 1) + to, s10, s11, wide, lanes);
  if (rows > 2) addTo(otherRow(list, 2) + to, s20, s21, wide, lanes);
  if (rows > 3) addTo(otherRow(list, 3) + to, s30, s31, wide, lanes);
  if (rows > 4) addTo(otherRow(list, 4) + to, s40, s41, wide, lanes);
  if (rows > 5) addTo(otherRow(list, 5) + to, s50, s51, wide, lanes);
}

// @ts-ignore: decorator
@inline
function addTo(to: usize, s0: v128, s1: v128, wide: bool, lanes: i32): void {
  if (wide) {
    v128.store(to, f32x4.add(v128.load(to), s0));
    v128.store(to, f32x4.add(v128.load(to, 16), s1), 16);
  } else storeLanes(to, f32x4.add(loadLanes(to, lanes), s0), lanes);
}

function add1x8(list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(1, true, 8, list, from, to, w, step, depth);
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
function add1x4(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addProduct(1, false, lanes, list, from, to, w, step, depth);
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
function addTile8(rows: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  switch (rows) {
    case 1: return add1x8(list, from, to, w, step, depth);
    case 2: return add2x8(list, from, to, w, step, depth);
    case 3: return add3x8(list, from, to, w, step, depth);
    case 4: return add4x8(list, from, to, w, step, depth);
    case 5: return add5x8(list, from, to, w, step, depth);
    default: return add6x8(list, from, to, w, step, depth);
  }
}

// @ts-ignore: decorator
@inline
function addTile4(rows: i32, lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  switch (rows) {
    case 1: return add1x4(lanes, list, from, to, w, step, depth);
    case 2: return add2x4(lanes, list, from, to, w, step, depth);
    case 3: return add3x4(lanes, list, from, to, w, step, depth);
    case 4: return add4x4(lanes, list, from, to, w, step, depth);
    case 5: return add5x4(lanes, list, from, to, w, step, depth);
    default: return add6x4(lanes, list, from, to, w, step, depth);
  }
}

/** A chunk of weights this deep and a panel this wide stay in the first-level cache while all rows pass over them. */
const CHUNK_DEPTH: i32 = 64;
const PANEL: i32 = 64;
const MOST_ROWS: i32 = 6;

/** other[n][0 … columns) += Σ_k read[n][k]·w[k][·] for `count` entries of the list; rows of w are `step` bytes apart. */
export function addProducts(list: usize, count: i32, w: usize, step: usize, depth: i32, columns: i32): void {
  let ahead = w;
  const finish = w + step * depth;
  for (let k = 0; k < depth; k += CHUNK_DEPTH) {
    const chunk = min(CHUNK_DEPTH, depth - k);
    ahead = w + step * chunk;
    const stopAhead = min(finish, ahead + step * chunk);
    const groups0 = (count + MOST_ROWS - 1) / MOST_ROWS;
    const each = <usize>(<i32>(step * chunk) / (groups0 * ((columns + 7) / 8))) + 63 & ~63;
    for (let panel = 0; panel < columns; panel += PANEL) {
      const stop = min(panel + PANEL, columns);
      let groups = groups0;
      for (let n = 0; n < count;) {
        const rows = (count - n + groups - 1) / groups--;
        let c = panel;
        for (; c + 8 <= stop; c += 8) {
          for (const t = min(stopAhead, ahead + each); ahead < t; ahead += 64) load<u8>(ahead);
          addTile8(rows, list + ENTRY * n, bytes(k), bytes(c), w + bytes(c), step, chunk);
        }
        for (; c < stop; c += 4)
          addTile4(rows, min(4, stop - c), list + ENTRY * n, bytes(k), bytes(c), w + bytes(c), step, chunk);
        n += rows;
      }
    }
    w += step * chunk;
  }
}

// ---- other += read · wᵀ ----

/**
 * other[n][0 … lanes) += Σ_k packed[k][n]·w[0 … lanes)[k] for `rows` (a constant, 3 to 10) entries of the list: four
 * rows of w at a time (`twice`, a constant: eight), transposed in registers.
 */
// @ts-ignore: decorator
@inline
function addTransposed(
  rows: i32, twice: bool, lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32,
): void {
  let w0 = w;
  let w1 = lanes > 1 ? w0 + step : w0;
  let w2 = lanes > 2 ? w1 + step : w1;
  let w3 = lanes > 3 ? w2 + step : w2;
  const far = 4 * step;
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0;
  for (let k = 0; k < depth; k += 4) {
    let a0: v128, a1: v128, a2: v128, a3: v128;
    const rest = depth - k;
    if (rest >= 4) a0 = v128.load(w0), a1 = v128.load(w1), a2 = v128.load(w2), a3 = v128.load(w3);
    else a0 = loadLanes(w0, rest), a1 = loadLanes(w1, rest), a2 = loadLanes(w2, rest), a3 = loadLanes(w3, rest);
    let low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
    let low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
    let b0 = v128.shuffle<u64>(low01, low23, 0, 2);
    let b1 = v128.shuffle<u64>(low01, low23, 1, 3);
    let b2 = v128.shuffle<u64>(high01, high23, 0, 2);
    let b3 = v128.shuffle<u64>(high01, high23, 1, 3);
    s0 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 0), b0, s0);
    s1 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 4), b0, s1);
    s2 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 8), b0, s2);
    if (rows > 3) s3 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 12), b0, s3);
    if (rows > 4) s4 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 16), b0, s4);
    if (rows > 5) s5 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 20), b0, s5);
    if (rows > 6) s6 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 24), b0, s6);
    if (rows > 7) s7 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 28), b0, s7);
    if (rows > 8) s8 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 32), b0, s8);
    if (rows > 9) s9 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 36), b0, s9);
    s0 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 0), b1, s0);
    s1 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 4), b1, s1);
    s2 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 8), b1, s2);
    if (rows > 3) s3 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 12), b1, s3);
    if (rows > 4) s4 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 16), b1, s4);
    if (rows > 5) s5 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 20), b1, s5);
    if (rows > 6) s6 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 24), b1, s6);
    if (rows > 7) s7 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 28), b1, s7);
    if (rows > 8) s8 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 32), b1, s8);
    if (rows > 9) s9 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 36), b1, s9);
    s0 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 0), b2, s0);
    s1 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 4), b2, s1);
    s2 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 8), b2, s2);
    if (rows > 3) s3 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 12), b2, s3);
    if (rows > 4) s4 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 16), b2, s4);
    if (rows > 5) s5 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 20), b2, s5);
    if (rows > 6) s6 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 24), b2, s6);
    if (rows > 7) s7 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 28), b2, s7);
    if (rows > 8) s8 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 32), b2, s8);
    if (rows > 9) s9 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 36), b2, s9);
    s0 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 0), b3, s0);
    s1 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 4), b3, s1);
    s2 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 8), b3, s2);
    if (rows > 3) s3 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 12), b3, s3);
    if (rows > 4) s4 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 16), b3, s4);
    if (rows > 5) s5 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 20), b3, s5);
    if (rows > 6) s6 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 24), b3, s6);
    if (rows > 7) s7 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 28), b3, s7);
    if (rows > 8) s8 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 32), b3, s8);
    if (rows > 9) s9 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 36), b3, s9);
    if (twice) {
      if (rest >= 4) {
        a0 = v128.load(w0 + far), a1 = v128.load(w1 + far), a2 = v128.load(w2 + far), a3 = v128.load(w3 + far);
      } else {
        a0 = loadLanes(w0 + far, rest), a1 = loadLanes(w1 + far, rest);
        a2 = loadLanes(w2 + far, rest), a3 = loadLanes(w3 + far, rest);
      }
      low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
      low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
      b0 = v128.shuffle<u64>(low01, low23, 0, 2);
      b1 = v128.shuffle<u64>(low01, low23, 1, 3);
      b2 = v128.shuffle<u64>(high01, high23, 0, 2);
      b3 = v128.shuffle<u64>(high01, high23, 1, 3);
      s5 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 0), b0, s5);
      s6 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 4), b0, s6);
      s7 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 8), b0, s7);
      if (rows > 3) s8 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 12), b0, s8);
      if (rows > 4) s9 = multiplyAdd(v128.load32_splat(packed + 0 * packedWidth(rows), 16), b0, s9);
      s5 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 0), b1, s5);
      s6 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 4), b1, s6);
      s7 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 8), b1, s7);
      if (rows > 3) s8 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 12), b1, s8);
      if (rows > 4) s9 = multiplyAdd(v128.load32_splat(packed + 4 * packedWidth(rows), 16), b1, s9);
      s5 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 0), b2, s5);
      s6 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 4), b2, s6);
      s7 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 8), b2, s7);
      if (rows > 3) s8 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 12), b2, s8);
      if (rows > 4) s9 = multiplyAdd(v128.load32_splat(packed + 8 * packedWidth(rows), 16), b2, s9);
      s5 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 0), b3, s5);
      s6 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 4), b3, s6);
      s7 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 8), b3, s7);
      if (rows > 3) s8 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 12), b3, s8);
      if (rows > 4) s9 = multiplyAdd(v128.load32_splat(packed + 12 * packedWidth(rows), 16), b3, s9);
    }
    w0 += 16, w1 += 16, w2 += 16, w3 += 16;
    packed += 16 * packedWidth(rows);
  }
  addTo(otherRow(list, 0) + to, s0, s0, false, lanes);
  addTo(otherRow(list, 1) + to, s1, s1, false, lanes);
  addTo(otherRow(list, 2) + to, s2, s2, false, lanes);
  if (rows > 3) addTo(otherRow(list, 3) + to, s3, s3, false, lanes);
  if (rows > 4) addTo(otherRow(list, 4) + to, s4, s4, false, lanes);
  if (!twice && rows > 5) addTo(otherRow(list, 5) + to, s5, s5, false, lanes);
  if (!twice && rows > 6) addTo(otherRow(list, 6) + to, s6, s6, false, lanes);
  if (!twice && rows > 7) addTo(otherRow(list, 7) + to, s7, s7, false, lanes);
  if (!twice && rows > 8) addTo(otherRow(list, 8) + to, s8, s8, false, lanes);
  if (!twice && rows > 9) addTo(otherRow(list, 9) + to, s9, s9, false, lanes);
  if (!twice) return;
  addTo(otherRow(list, 0) + to + 16, s5, s5, false, 4);
  addTo(otherRow(list, 1) + to + 16, s6, s6, false, 4);
  addTo(otherRow(list, 2) + to + 16, s7, s7, false, 4);
  if (rows > 3) addTo(otherRow(list, 3) + to + 16, s8, s8, false, 4);
  if (rows > 4) addTo(otherRow(list, 4) + to + 16, s9, s9, false, 4);
}

/** Elements of a step of packed rows: whole vectors. */
// @ts-ignore: decorator
@inline
function packedWidth(rows: i32): i32 {
  return rows + 3 & ~3;
}
function transposed3(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(3, false, lanes, list, packed, to, w, step, depth);
}
function transposed4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(4, false, lanes, list, packed, to, w, step, depth);
}
function transposed5(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(5, false, lanes, list, packed, to, w, step, depth);
}
function transposed6(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(6, false, lanes, list, packed, to, w, step, depth);
}
function transposed7(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(7, false, lanes, list, packed, to, w, step, depth);
}
function transposed8(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(8, false, lanes, list, packed, to, w, step, depth);
}
function transposed9(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(9, false, lanes, list, packed, to, w, step, depth);
}
function transposed10(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(10, false, lanes, list, packed, to, w, step, depth);
}
function transposedTwice3(list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(3, true, 4, list, packed, to, w, step, depth);
}
function transposedTwice4(list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(4, true, 4, list, packed, to, w, step, depth);
}
function transposedTwice5(list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(5, true, 4, list, packed, to, w, step, depth);
}

/** other[n][0 … lanes) += Σ_k read[n][k]·w[0 … lanes)[k] for `rows` (a constant, 1 or 2) entries of the list. */
// @ts-ignore: decorator
@inline
function addDots(rows: i32, lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  let x0 = readRow(list, 0) + from, x1 = rows > 1 ? readRow(list, 1) + from : 0;
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
  const sums0 = laneSums(s00, s01, s02, s03);
  addTo(otherRow(list, 0) + to, sums0, sums0, false, lanes);
  if (rows == 1) return;
  const sums1 = laneSums(s10, s11, s12, s13);
  addTo(otherRow(list, 1) + to, sums1, sums1, false, lanes);
}

/** The sums of the lanes of four vectors. */
// @ts-ignore: decorator
@inline
function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<u64>(ab, cd, 0, 2), v128.shuffle<u64>(ab, cd, 1, 3));
}

function dots1(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addDots(1, lanes, list, from, to, w, step, depth);
}
function dots2(lanes: i32, list: usize, from: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addDots(2, lanes, list, from, to, w, step, depth);
}

// @ts-ignore: decorator
@inline
function transposedTile(rows: i32, lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  switch (rows) {
    case 3: return transposed3(lanes, list, packed, to, w, step, depth);
    case 4: return transposed4(lanes, list, packed, to, w, step, depth);
    case 5: return transposed5(lanes, list, packed, to, w, step, depth);
    case 6: return transposed6(lanes, list, packed, to, w, step, depth);
    case 7: return transposed7(lanes, list, packed, to, w, step, depth);
    case 8: return transposed8(lanes, list, packed, to, w, step, depth);
    case 9: return transposed9(lanes, list, packed, to, w, step, depth);
    default: return transposed10(lanes, list, packed, to, w, step, depth);
  }
}

const MOST_TRANSPOSED: i32 = 10;
const CHUNK_TRANSPOSED: i32 = 256;
const PACKED: usize = 8192 * 8;

/** packed[k][n] = read[n][k] for k < depth and n < rows; steps are packedWidth(rows) elements apart. */
function packRows(list: usize, rows: i32, from: usize, depth: i32, packed: usize): void {
  const step = bytes(packedWidth(rows));
  for (let n = 0; n < rows; n += 4) {
    let x0 = readRow(list, n) + from;
    let x1 = readRow(list, min(n + 1, rows - 1)) + from;
    let x2 = readRow(list, min(n + 2, rows - 1)) + from;
    let x3 = readRow(list, min(n + 3, rows - 1)) + from;
    let to = packed + bytes(n);
    for (let k = 0; k < depth; k += 4) {
      const part = min(4, depth - k);
      const a0 = loadLanes(x0, part), a1 = loadLanes(x1, part), a2 = loadLanes(x2, part), a3 = loadLanes(x3, part);
      const low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
      const low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<u64>(low01, low23, 0, 2));
      v128.store(to + step, v128.shuffle<u64>(low01, low23, 1, 3));
      v128.store(to + 2 * step, v128.shuffle<u64>(high01, high23, 0, 2));
      v128.store(to + 3 * step, v128.shuffle<u64>(high01, high23, 1, 3));
      x0 += 16, x1 += 16, x2 += 16, x3 += 16, to += 4 * step;
    }
  }
}

/** other[n][0 … width) += Σ_k read[n][k]·w[·][k] */
export function addTransposedProducts(list: usize, count: i32, w: usize, step: usize, depth: i32, width: i32): void {
  const packed = scratch + PACKED;
  for (let k = 0; k < depth; k += CHUNK_TRANSPOSED) {
    const chunk = min(CHUNK_TRANSPOSED, depth - k);
    let groups = (count + MOST_TRANSPOSED - 1) / MOST_TRANSPOSED;
    for (let n = 0; n < count;) {
      const rows = (count - n + groups - 1) / groups--;
      const from = list + ENTRY * n;
      let at = w + bytes(k);
      if (rows > 2) packRows(from, rows, bytes(k), chunk, packed);
      let j = 0;
      if (rows == 1) for (; j < width; j += 4, at += 4 * step) dots1(min(4, width - j), from, bytes(k), bytes(j), at, step, chunk);
      else if (rows == 2) for (; j < width; j += 4, at += 4 * step) dots2(min(4, width - j), from, bytes(k), bytes(j), at, step, chunk);
      else if (rows == 3) for (; j + 8 <= width; j += 8, at += 8 * step) transposedTwice3(from, packed, bytes(j), at, step, chunk);
      else if (rows == 4) for (; j + 8 <= width; j += 8, at += 8 * step) transposedTwice4(from, packed, bytes(j), at, step, chunk);
      else if (rows == 5) for (; j + 8 <= width; j += 8, at += 8 * step) transposedTwice5(from, packed, bytes(j), at, step, chunk);
      for (; j < width; j += 4) {
        transposedTile(rows, min(4, width - j), from, packed, bytes(j), at, step, chunk);
        at += 4 * step;
      }
      n += rows;
    }
  }
}

// ---- w += alpha · readᵀ · other ----

/** w[i][0 … lanes) = (accumulate ? w : 0) + alpha·Σ_n read[n][i]·other[n][·] for `rows` rows of w. */
// @ts-ignore: decorator
@inline
function addOuter(
  rows: i32, wide: bool, lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize,
  alpha: f32, accumulate: bool,
): void {
  let x = readRow(list, 0) + from, y = otherRow(list, 0) + other;
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
    x = readRow(list, 0) + from, y = otherRow(list, 0) + other;
    b0 = wide ? v128.load(y) : loadLanes(y, lanes);
    if (wide) b1 = v128.load(y, 16);
    {
      a = v128.load32_splat(x, 0);
      s00 = multiplyAdd(a, b0, s00);
      if (wide) s01 = multiplyAdd(a, b1, s01);
    }
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
  const factor = f32x4.splat(alpha);
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

function outer6x8(list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, alpha: f32, accumulate: bool): void {
  addOuter(6, true, 8, list, count, from, other, w, step, alpha, accumulate);
}
function outer6x4(lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, alpha: f32, accumulate: bool): void {
  addOuter(6, false, lanes, list, count, from, other, w, step, alpha, accumulate);
}
function outer4x8(list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, alpha: f32, accumulate: bool): void {
  addOuter(4, true, 8, list, count, from, other, w, step, alpha, accumulate);
}
function outer4x4(lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, alpha: f32, accumulate: bool): void {
  addOuter(4, false, lanes, list, count, from, other, w, step, alpha, accumulate);
}
function outer2x8(list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, alpha: f32, accumulate: bool): void {
  addOuter(2, true, 8, list, count, from, other, w, step, alpha, accumulate);
}
function outer2x4(lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, alpha: f32, accumulate: bool): void {
  addOuter(2, false, lanes, list, count, from, other, w, step, alpha, accumulate);
}
function outer1x8(list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, alpha: f32, accumulate: bool): void {
  addOuter(1, true, 8, list, count, from, other, w, step, alpha, accumulate);
}
function outer1x4(lanes: i32, list: usize, count: i32, from: usize, other: usize, w: usize, step: usize, alpha: f32, accumulate: bool): void {
  addOuter(1, false, lanes, list, count, from, other, w, step, alpha, accumulate);
}

export function addOuterProducts(
  list: usize, count: i32, w: usize, step: usize, height: i32, width: i32, alpha: f32, accumulate: bool,
): void {
  for (let i = 0; i < height;) {
    const rest = height - i;
    const rows = rest >= 6 ? 6 : rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
    const from = bytes(i);
    let c = 0;
    for (; c + 8 <= width; c += 8) {
      if (rows == 6) outer6x8(list, count, from, bytes(c), w + bytes(c), step, alpha, accumulate);
      else if (rows == 4) outer4x8(list, count, from, bytes(c), w + bytes(c), step, alpha, accumulate);
      else if (rows == 2) outer2x8(list, count, from, bytes(c), w + bytes(c), step, alpha, accumulate);
      else outer1x8(list, count, from, bytes(c), w + bytes(c), step, alpha, accumulate);
    }
    for (; c < width; c += 4) {
      const lanes = min(4, width - c);
      if (rows == 6) outer6x4(lanes, list, count, from, bytes(c), w + bytes(c), step, alpha, accumulate);
      else if (rows == 4) outer4x4(lanes, list, count, from, bytes(c), w + bytes(c), step, alpha, accumulate);
      else if (rows == 2) outer2x4(lanes, list, count, from, bytes(c), w + bytes(c), step, alpha, accumulate);
      else outer1x4(lanes, list, count, from, bytes(c), w + bytes(c), step, alpha, accumulate);
    }
    i += rows;
    w += step * rows;
  }
}
