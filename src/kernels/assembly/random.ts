// Philox4x32-10, four counters side by side. Element (row, unit) of a draw is word (unit >> 2) & 3 of the counter
// ((unit >> 4)·4 + (unit & 3), row, step, stream): sixteen units take four counters and no transposition.
import { philox4, philox8, w0, w1, w2, w3 } from './philox';

/** The first words of the four counters of a group of sixteen units. */
// @ts-ignore: decorator
@inline
function countersOf(group: i32): v128 {
  return i32x4.add(i32x4.splat(group << 2), i32x4(0, 1, 2, 3));
}

// @ts-ignore: decorator
@inline
function drawGroup(group: i32, row: i32, step: i32, stream: i32, key0: i32, key1: i32): void {
  philox4(countersOf(group), i32x4.splat(row), step, stream, key0, key1);
}

/** The uniform numbers of a row. */
function drawRow(to: usize, row: i32, columns: i32, key0: i32, key1: i32, step: i32, stream: i32): void {
  const groups = columns >> 4;
  let g = 0;
  for (; g + 2 <= groups; g += 2, to += 128) {
    const c0 = countersOf(g);
    philox8(to, c0, i32x4.add(c0, i32x4.splat(4)), i32x4.splat(row), step, stream, key0, key1);
  }
  for (; g < groups; g++, to += 64) {
    drawGroup(g, row, step, stream, key0, key1);
    v128.store(to, w0);
    v128.store(to, w1, 16);
    v128.store(to, w2, 32);
    v128.store(to, w3, 48);
  }
  const rest = columns & 15;
  if (rest == 0) return;
  drawGroup(groups, row, step, stream, key0, key1);
  for (let i = 0; i < rest; i++, to += 4) {
    const words = i < 4 ? w0 : i < 8 ? w1 : i < 12 ? w2 : w3;
    const lane = i & 3;
    let value = f32x4.extract_lane(words, 0);
    if (lane == 1) value = f32x4.extract_lane(words, 1);
    else if (lane == 2) value = f32x4.extract_lane(words, 2);
    else if (lane == 3) value = f32x4.extract_lane(words, 3);
    store<f32>(to, value);
  }
}

/** out[r, c] uniform in (0, 1); items are rows. */
export function uniforms(
  begin: i32, end: i32, out: usize, rows: i32, columns: i32, key0: i32, key1: i32, step: i32, stream: i32,
): void {
  for (let r = begin; r < end; r++) drawRow(out + ((<usize>(r * columns)) << 2), r, columns, key0, key1, step, stream);
}

/** out[r, c] = what `uniforms` gives at (rowOf[r], c); items are rows. */
export function uniformsOfRows(
  begin: i32, end: i32, rowOf: usize, out: usize, rows: i32, columns: i32, key0: i32, key1: i32, step: i32, stream: i32,
): void {
  for (let r = begin; r < end; r++)
    drawRow(out + ((<usize>(r * columns)) << 2), load<i32>(rowOf + ((<usize>r) << 2)), columns, key0, key1, step, stream);
}
