// Philox4x32-10, four counters side by side (Salmon et al., SC 2011), and the uniforms of its words.

// The words that philox4 has made of the last four counters, as uniforms.
export let w0: v128 = i32x4.splat(0);
export let w1: v128 = i32x4.splat(0);
export let w2: v128 = i32x4.splat(0);
export let w3: v128 = i32x4.splat(0);

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
  return f32x4.mul(f32x4.convert_i32x4_s(odd), f32x4.splat(5.9604644775390625e-8)); // 2⁻²⁴
}

/** Philox4x32-10 of four counters (c0, c1, step, stream), as uniforms in w0 … w3. */
export function philox4(c0: v128, c1: v128, step: i32, stream: i32, k0: i32, k1: i32): void {
  const m0 = i32x4.splat(0xd2511f53);
  const m1 = i32x4.splat(0xcd9e8d57);
  let c2 = i32x4.splat(step);
  let c3 = i32x4.splat(stream);
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
