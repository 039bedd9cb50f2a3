// Philox4x32-10, four counters side by side (Salmon et al., SC 2011), and the uniforms of its words.

// The words that philox4 has made of the last four counters, as uniforms.
export let w0: v128 = i32x4.splat(0);
export let w1: v128 = i32x4.splat(0);
export let w2: v128 = i32x4.splat(0);
export let w3: v128 = i32x4.splat(0);

const ROUNDS: i32 = 10;
/** Two multipliers, and what is added to the two keys every round. In memory, see math.ts. */
const CONSTANTS = memory.data<u32>([0xd2511f53, 0xcd9e8d57, 0x9e3779b9, 0xbb67ae85]);

// @ts-ignore: decorator
@inline
function constant(i: usize): v128 {
  return v128.load32_splat(CONSTANTS + (i << 2));
}

/** The upper halves of the products of 32-bit numbers. */
// @ts-ignore: decorator
@inline
function high32(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/** The lower halves: one instruction, where a multiplication of its own is two slow ones. */
// @ts-ignore: decorator
@inline
function low32(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(low, high, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function uniform4(word: v128): v128 {
  const odd = v128.or(i32x4.shl(i32x4.shr_u(word, 9), 1), i32x4.splat(1));
  return f32x4.mul(f32x4.convert_i32x4_s(odd), f32x4.splat(5.9604644775390625e-8)); // 2⁻²⁴
}

/** Philox4x32-10 of four counters (c0, c1, step, stream), as uniforms in w0 … w3. */
export function philox4(c0: v128, c1: v128, step: i32, stream: i32, k0: i32, k1: i32): void {
  const m0 = constant(0), m1 = constant(1), step0 = constant(2), step1 = constant(3);
  let c2 = i32x4.splat(step), c3 = i32x4.splat(stream);
  let keys0 = i32x4.splat(k0), keys1 = i32x4.splat(k1);
  for (let round = 0; round < ROUNDS; round++) {
    const a = i64x2.extmul_low_i32x4_u(c0, m0), b = i64x2.extmul_high_i32x4_u(c0, m0);
    const c = i64x2.extmul_low_i32x4_u(c2, m1), d = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(high32(c, d), c1), keys0);
    c2 = v128.xor(v128.xor(high32(a, b), c3), keys1);
    c1 = low32(c, d);
    c3 = low32(a, b);
    keys0 = i32x4.add(keys0, step0);
    keys1 = i32x4.add(keys1, step1);
  }
  w0 = uniform4(c0);
  w1 = uniform4(c1);
  w2 = uniform4(c2);
  w3 = uniform4(c3);
}

/** The same of eight counters (x0, c1, step, stream) and (y0, c1, step, stream), as 32 uniforms to `to`. */
export function philox8(to: usize, x0: v128, y0: v128, c1: v128, step: i32, stream: i32, k0: i32, k1: i32): void {
  const m0 = constant(0), m1 = constant(1), step0 = constant(2), step1 = constant(3);
  let x1 = c1, x2 = i32x4.splat(step), x3 = i32x4.splat(stream);
  let y1 = c1, y2 = x2, y3 = x3;
  let keys0 = i32x4.splat(k0), keys1 = i32x4.splat(k1);
  for (let round = 0; round < ROUNDS; round++) {
    let a = i64x2.extmul_low_i32x4_u(x0, m0), b = i64x2.extmul_high_i32x4_u(x0, m0);
    let c = i64x2.extmul_low_i32x4_u(x2, m1), d = i64x2.extmul_high_i32x4_u(x2, m1);
    x0 = v128.xor(v128.xor(high32(c, d), x1), keys0);
    x2 = v128.xor(v128.xor(high32(a, b), x3), keys1);
    x1 = low32(c, d);
    x3 = low32(a, b);
    a = i64x2.extmul_low_i32x4_u(y0, m0); b = i64x2.extmul_high_i32x4_u(y0, m0);
    c = i64x2.extmul_low_i32x4_u(y2, m1); d = i64x2.extmul_high_i32x4_u(y2, m1);
    y0 = v128.xor(v128.xor(high32(c, d), y1), keys0);
    y2 = v128.xor(v128.xor(high32(a, b), y3), keys1);
    y1 = low32(c, d);
    y3 = low32(a, b);
    keys0 = i32x4.add(keys0, step0);
    keys1 = i32x4.add(keys1, step1);
  }
  v128.store(to, uniform4(x0));
  v128.store(to, uniform4(x1), 16);
  v128.store(to, uniform4(x2), 32);
  v128.store(to, uniform4(x3), 48);
  v128.store(to, uniform4(y0), 64);
  v128.store(to, uniform4(y1), 80);
  v128.store(to, uniform4(y2), 96);
  v128.store(to, uniform4(y3), 112);
}
