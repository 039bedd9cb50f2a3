// Products of listed rows with a transposed matrix: second += first · wᵀ. See blocks-rows.ts for lists.
//
// Rows of w are contiguous along the depth. From a depth of 32 on, one or two listed rows are multiplied with six rows of
// w as dot products, lane by lane: with 12 sums, two vectors of the listed rows and one of w they fill the 15 vector
// registers that V8 hands out on x86-64. At a smaller depth the sums over lanes would weigh too much: three to ten listed
// rows are packed side by side (they are reused for every row of w), and vectors of w are transposed in registers, which
// leaves room for 10 sums. Three to five rows then work on eight rows of w, so that there are enough independent sums to
// hide the latency of a multiply-add.
import { addLanes, bytes, ceilDivide, ENTRY, first, loadLanes, multiplyAdd, PACKED_ROWS, second } from './blocks-rows';
import { addByDots, dots1, dots2 } from './blocks-dots';
import { scratch } from './scratch';

const MOST_ROWS: i32 = 10;
/** From this depth on, dot products are faster than packing: their sums over lanes weigh less. */
const DOTS_DEPTH: i32 = 32;
/** Depth of dot products at a time: so much of six rows of w stays in the first-level cache. */
const CHUNK_DEPTH: i32 = 512;

/**
 * second[n][0 … columns) += Σ_k first[n][k]·w[0 … columns)[k] over k < depth, for `count` entries of the list; rows of w
 * are `step` bytes apart.
 */
export function addTransposedProducts(list: usize, count: i32, w: usize, step: usize, depth: i32, columns: i32): void {
  if (depth >= DOTS_DEPTH) {
    for (let k = 0; k < depth; k += CHUNK_DEPTH)
      addByDots(list, count, bytes(k), w + bytes(k), step, min(CHUNK_DEPTH, depth - k), columns);
    return;
  }
  let groups = ceilDivide(count, MOST_ROWS);
  for (let n = 0; n < count;) {
    const rows = ceilDivide(count - n, groups--);
    addGroup(rows, list + ENTRY * n, w, step, depth, columns);
    n += rows;
  }
}

/** One group of rows, at most MOST_ROWS. */
function addGroup(rows: i32, list: usize, w: usize, step: usize, depth: i32, columns: i32): void {
  const packed = scratch + PACKED_ROWS;
  if (rows > 2) packRows(list, rows, depth, packed);
  let c = 0;
  if (rows > 2 && rows < 6) {
    for (; c + 8 <= columns; c += 8, w += 8 * step) transposedTile8(rows, list, packed, bytes(c), w, step, depth);
  }
  for (; c < columns; c += 4, w += 4 * step) {
    const lanes = min(4, columns - c);
    if (rows > 2) transposedTile4(rows, lanes, list, packed, bytes(c), w, step, depth);
    else if (rows == 2) dots2(lanes, list, 0, bytes(c), w, step, depth);
    else dots1(lanes, list, 0, bytes(c), w, step, depth);
  }
}

/**
 * packed[k][n] = first[n][k] for k < depth and n < rows; steps are packedWidth(rows) elements apart. Up to the next
 * multiples of four there is something harmless: zeros along the depth, the last row again beside it.
 */
function packRows(list: usize, rows: i32, depth: i32, packed: usize): void {
  const step = bytes(packedWidth(rows));
  for (let n = 0; n < rows; n += 4) {
    let x0 = first(list, n);
    let x1 = first(list, min(n + 1, rows - 1));
    let x2 = first(list, min(n + 2, rows - 1));
    let x3 = first(list, min(n + 3, rows - 1));
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

/**
 * second[n][0 … lanes) += Σ_k packed[k][n]·w[0 … lanes)[k] for `rows` (a constant, 3 to 10) entries of the list: four
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
  const far: usize = 4 * step;
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
  addLanes(second(list, 0) + to, s0, lanes);
  addLanes(second(list, 1) + to, s1, lanes);
  addLanes(second(list, 2) + to, s2, lanes);
  if (rows > 3) addLanes(second(list, 3) + to, s3, lanes);
  if (rows > 4) addLanes(second(list, 4) + to, s4, lanes);
  if (!twice && rows > 5) addLanes(second(list, 5) + to, s5, lanes);
  if (!twice && rows > 6) addLanes(second(list, 6) + to, s6, lanes);
  if (!twice && rows > 7) addLanes(second(list, 7) + to, s7, lanes);
  if (!twice && rows > 8) addLanes(second(list, 8) + to, s8, lanes);
  if (!twice && rows > 9) addLanes(second(list, 9) + to, s9, lanes);
  if (!twice) return;
  addLanes(second(list, 0) + to + 16, s5, 4);
  addLanes(second(list, 1) + to + 16, s6, 4);
  addLanes(second(list, 2) + to + 16, s7, 4);
  if (rows > 3) addLanes(second(list, 3) + to + 16, s8, 4);
  if (rows > 4) addLanes(second(list, 4) + to + 16, s9, 4);
}

/** Elements of a step of packed rows: whole vectors. */
// @ts-ignore: decorator
@inline
function packedWidth(rows: i32): i32 {
  return rows + 3 & ~3;
}
function transposed3x4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(3, false, lanes, list, packed, to, w, step, depth);
}
function transposed4x4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(4, false, lanes, list, packed, to, w, step, depth);
}
function transposed5x4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(5, false, lanes, list, packed, to, w, step, depth);
}
function transposed6x4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(6, false, lanes, list, packed, to, w, step, depth);
}
function transposed7x4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(7, false, lanes, list, packed, to, w, step, depth);
}
function transposed8x4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(8, false, lanes, list, packed, to, w, step, depth);
}
function transposed9x4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(9, false, lanes, list, packed, to, w, step, depth);
}
function transposed10x4(lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(10, false, lanes, list, packed, to, w, step, depth);
}
function transposed3x8(list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(3, true, 4, list, packed, to, w, step, depth);
}
function transposed4x8(list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(4, true, 4, list, packed, to, w, step, depth);
}
function transposed5x8(list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  addTransposed(5, true, 4, list, packed, to, w, step, depth);
}

// @ts-ignore: decorator
@inline
function transposedTile8(rows: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32): void {
  switch (rows) {
    case 3: return transposed3x8(list, packed, to, w, step, depth);
    case 4: return transposed4x8(list, packed, to, w, step, depth);
    default: return transposed5x8(list, packed, to, w, step, depth);
  }
}

// @ts-ignore: decorator
@inline
function transposedTile4(
  rows: i32, lanes: i32, list: usize, packed: usize, to: usize, w: usize, step: usize, depth: i32,
): void {
  switch (rows) {
    case 3: return transposed3x4(lanes, list, packed, to, w, step, depth);
    case 4: return transposed4x4(lanes, list, packed, to, w, step, depth);
    case 5: return transposed5x4(lanes, list, packed, to, w, step, depth);
    case 6: return transposed6x4(lanes, list, packed, to, w, step, depth);
    case 7: return transposed7x4(lanes, list, packed, to, w, step, depth);
    case 8: return transposed8x4(lanes, list, packed, to, w, step, depth);
    case 9: return transposed9x4(lanes, list, packed, to, w, step, depth);
    default: return transposed10x4(lanes, list, packed, to, w, step, depth);
  }
}
