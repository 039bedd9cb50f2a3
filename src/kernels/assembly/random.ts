// Philox4x32-10, four counters side by side. Element (row, unit) of a draw is word (unit >> 2) & 3 of the counter
// ((unit >> 4)·4 + (unit & 3), row, step, stream): sixteen units take four counters and no transposition.
import { splat } from './math';

// @ts-ignore: decorator
@inline
function high32(a: v128, multiplier: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, multiplier);
  const high = i64x2.extmul_high_i32x4_u(a, multiplier);
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline
function uniform4(word: v128): v128 {
  const odd = v128.or(i32x4.shl(i32x4.shr_u(word, 9), 1), i32x4.splat(1));
  return f32x4.mul(f32x4.convert_i32x4_s(odd), splat(5.9604644775390625e-8)); // 2⁻²⁴
}

// The four words of the last block of counters.
let w0: v128 = i32x4.splat(0);
let w1: v128 = i32x4.splat(0);
let w2: v128 = i32x4.splat(0);
let w3: v128 = i32x4.splat(0);

// @ts-ignore: decorator
@inline
function philox4(group: i32, row: i32, step: i32, stream: i32, key0: i32, key1: i32): void {
  const m0 = i32x4.splat(0xd2511f53);
  const m1 = i32x4.splat(0xcd9e8d57);
  let c0 = i32x4.add(i32x4.splat(group << 2), i32x4(0, 1, 2, 3));
  let c1 = i32x4.splat(row);
  let c2 = i32x4.splat(step);
  let c3 = i32x4.splat(stream);
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < 10; round++) {
    const high0 = high32(c0, m0);
    const low0 = i32x4.mul(c0, m0);
    const high1 = high32(c2, m1);
    const low1 = i32x4.mul(c2, m1);
    c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(k0));
    c1 = low1;
    c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(k1));
    c3 = low0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  w0 = uniform4(c0);
  w1 = uniform4(c1);
  w2 = uniform4(c2);
  w3 = uniform4(c3);
}

/** out[r, c] uniform in (0, 1); items are rows. */
export function uniforms(
  begin: i32, end: i32, out: usize, rows: i32, columns: i32, key0: i32, key1: i32, step: i32, stream: i32,
): void {
  for (let r = begin; r < end; r++) {
    let to = out + ((<usize>(r * columns)) << 2);
    const groups = columns >> 4;
    for (let g = 0; g < groups; g++, to += 64) {
      philox4(g, r, step, stream, key0, key1);
      v128.store(to, w0);
      v128.store(to, w1, 16);
      v128.store(to, w2, 32);
      v128.store(to, w3, 48);
    }
    const rest = columns & 15;
    if (rest == 0) continue;
    philox4(groups, r, step, stream, key0, key1);
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
}
