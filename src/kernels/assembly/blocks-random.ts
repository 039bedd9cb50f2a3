// The uniforms of random.ts at the units of open blocks only.
import { at, bytes, storeLanes } from './blocks-rows';
import { philox4, w0, w1, w2, w3 } from './philox';

/** Blocks smaller than this share vectors of counters; larger ones take whole groups of sixteen units. */
const SMALL_BLOCK: i32 = 8;

/** out[p, i] = the uniform at (row(p), block(p)·size + i). Items are groups of four pairs. */
export function blockUniforms(
  begin: i32, end: i32, out: usize, pairRow: usize, pairBlock: usize, pairs: i32, size: i32,
  key0: i32, key1: i32, step: i32, stream: i32,
): void {
  const start = begin * 4, stop = min(pairs, end * 4);
  if (size < SMALL_BLOCK) {
    for (let e = start * size; e < stop * size; e += 4)
      drawElements(e, min(4, stop * size - e), out, pairRow, pairBlock, size, key0, key1, step, stream);
  } else {
    for (let p = start; p < stop; p++)
      drawBlock(out + bytes(size) * p, at(pairRow, p), at(pairBlock, p) * size, size, key0, key1, step, stream);
  }
}

/** Units first to first + size − 1 of a row: every group of sixteen that they touch. */
function drawBlock(
  out: usize, row: i32, first: i32, size: i32, key0: i32, key1: i32, step: i32, stream: i32,
): void {
  const last = first + size;
  for (let group = first >> 4; group << 4 < last; group++) {
    philox4(i32x4.add(i32x4.splat(group << 2), i32x4(0, 1, 2, 3)), i32x4.splat(row), step, stream, key0, key1);
    const unit = group << 4;
    storeQuad(out, w0, unit, first, last);
    storeQuad(out, w1, unit + 4, first, last);
    storeQuad(out, w2, unit + 8, first, last);
    storeQuad(out, w3, unit + 12, first, last);
  }
}

/** Stores those of units unit … unit + 3 that lie in [first, last); out is where `first` stands. */
function storeQuad(out: usize, x: v128, unit: i32, first: i32, last: i32): void {
  if (unit + 4 <= first || unit >= last) return;
  const to = out + bytes(unit - first);
  if (unit >= first) return storeLanes(to, x, min(4, last - unit));
  if (unit + 1 >= first && unit + 1 < last) v128.store32_lane(to, x, 1, 4);
  if (unit + 2 >= first && unit + 2 < last) v128.store32_lane(to, x, 2, 8);
  if (unit + 3 < last) v128.store32_lane(to, x, 3, 12);
}

/** Elements e to e + lanes − 1 (at most 4) of the values, each with a counter of its own. */
function drawElements(
  e: i32, lanes: i32, out: usize, pairRow: usize, pairBlock: usize, size: i32,
  key0: i32, key1: i32, step: i32, stream: i32,
): void {
  let rows = i32x4.splat(0), units = rows;
  rows = i32x4.replace_lane(rows, 0, at(pairRow, e / size));
  units = i32x4.replace_lane(units, 0, at(pairBlock, e / size) * size + e % size);
  if (lanes > 1) {
    rows = i32x4.replace_lane(rows, 1, at(pairRow, (e + 1) / size));
    units = i32x4.replace_lane(units, 1, at(pairBlock, (e + 1) / size) * size + (e + 1) % size);
  }
  if (lanes > 2) {
    rows = i32x4.replace_lane(rows, 2, at(pairRow, (e + 2) / size));
    units = i32x4.replace_lane(units, 2, at(pairBlock, (e + 2) / size) * size + (e + 2) % size);
  }
  if (lanes > 3) {
    rows = i32x4.replace_lane(rows, 3, at(pairRow, (e + 3) / size));
    units = i32x4.replace_lane(units, 3, at(pairBlock, (e + 3) / size) * size + (e + 3) % size);
  }
  const counters = i32x4.add(i32x4.shl(i32x4.shr_u(units, 4), 2), v128.and(units, i32x4.splat(3)));
  philox4(counters, rows, step, stream, key0, key1);
  const words = v128.and(i32x4.shr_u(units, 2), i32x4.splat(3));
  let x = v128.bitselect(w1, w0, i32x4.eq(words, i32x4.splat(1)));
  x = v128.bitselect(w2, x, i32x4.eq(words, i32x4.splat(2)));
  x = v128.bitselect(w3, x, i32x4.eq(words, i32x4.splat(3)));
  storeLanes(out + bytes(e), x, lanes);
}
