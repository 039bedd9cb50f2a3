// Four-lane Float32 special functions. Polynomials after Cephes (Moshier); the normal quantile after
// Giles, "Approximating the erfinv function" (2010). Only +, −, ×, ÷, √ and bit operations: the same bits everywhere.

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

// V8 makes a vector constant anew wherever it is used, by about five instructions. One that lies in memory takes one: that made the
// kernels of neurons a fifth to a quarter faster, with the same bits.
const SMALL = memory.data<f32>([0.5, 1, 2]);
const EXP = memory.data<f32>([
  -87.3, 88.3, 1.44269504088896341, 0.693359375, -2.12194440e-4,
  1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
]);
const LOG = memory.data<f32>([
  -2.12194440e-4, 0.693359375,
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
  -2.4999993993e-1, 3.3333331174e-1,
]);
/** √½, so that the mantissa lies in [√½, √2), and which bits are the mantissa. */
const LOG_BITS = memory.data<i32>([0x3f3504f3, 0x007fffff]);
const TANH = memory.data<f32>([
  -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1, 0.625,
]);
const NORMAL = memory.data<f32>([4, 2.5, 5, 3, 1.4142135623730951]);
const NORMAL_CENTRAL = memory.data<f32>([
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727,
  1.50140941,
]);
const NORMAL_TAIL = memory.data<f32>([
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406,
  2.83297682,
]);

/** Number i of a table in every lane. */
// @ts-ignore: decorator
@inline
function at(table: usize, i: usize): v128 {
  return v128.load32_splat(table + (i << 2));
}

/** p·x + number i of a table: a step of Horner's rule. */
// @ts-ignore: decorator
@inline
function horner(p: v128, x: v128, table: usize, i: usize): v128 {
  return f32x4.add(f32x4.mul(p, x), at(table, i));
}

/** ½ in every lane. */
// @ts-ignore: decorator
@inline
export function half4(): v128 {
  return at(SMALL, 0);
}

/** 1 in every lane. */
// @ts-ignore: decorator
@inline
export function one4(): v128 {
  return at(SMALL, 1);
}

/** 2 in every lane. */
// @ts-ignore: decorator
@inline
export function two4(): v128 {
  return at(SMALL, 2);
}

/** e^x, x clamped to [−87.3, 88.3]; relative error about 1e-7. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  // pmax(x, y) is x < y ? y : x: one instruction where max takes seven, and NaN stays too.
  const clamped = f32x4.pmin(f32x4.pmax(x, at(EXP, 0)), at(EXP, 1));
  const n = f32x4.nearest(f32x4.mul(clamped, at(EXP, 2)));
  const r = f32x4.sub(f32x4.sub(clamped, f32x4.mul(n, at(EXP, 3))), f32x4.mul(n, at(EXP, 4)));
  let p = horner(at(EXP, 5), r, EXP, 6);
  p = horner(p, r, EXP, 7);
  p = horner(p, r, EXP, 8);
  p = horner(p, r, EXP, 9);
  p = horner(p, r, EXP, 10);
  const y = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), one4());
  return i32x4.add(y, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23));
}

/** log x for positive, normal x; relative error about 1e-7. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const bits = i32x4.sub(x, at(LOG_BITS, 0));
  const exponent = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const mantissa = i32x4.add(v128.and(bits, at(LOG_BITS, 1)), at(LOG_BITS, 0));
  const f = f32x4.sub(mantissa, one4());
  const z = f32x4.mul(f, f);
  let p = horner(at(LOG, 2), f, LOG, 3);
  p = horner(p, f, LOG, 4);
  p = horner(p, f, LOG, 5);
  p = horner(p, f, LOG, 6);
  p = horner(p, f, LOG, 7);
  p = horner(p, f, LOG, 8);
  p = horner(p, f, LOG, 9);
  p = horner(p, f, LOG, 10);
  let y = f32x4.mul(f32x4.mul(p, f), z);
  y = f32x4.add(y, f32x4.mul(exponent, at(LOG, 0)));
  y = f32x4.sub(y, f32x4.mul(z, half4()));
  return f32x4.add(f32x4.add(f, y), f32x4.mul(exponent, at(LOG, 1)));
}

/** σ(x) */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(one4(), f32x4.add(one4(), exp4(f32x4.neg(x))));
}

/** σ(x)(1−σ(x)), without cancellation. */
// @ts-ignore: decorator
@inline
export function sigmoidSlope4(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const d = f32x4.add(one4(), e);
  return f32x4.div(e, f32x4.mul(d, d));
}

/** tanh x */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = horner(at(TANH, 0), z, TANH, 1);
  p = horner(p, z, TANH, 2);
  p = horner(p, z, TANH, 3);
  p = horner(p, z, TANH, 4);
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const e = exp4(f32x4.add(a, a));
  const large = f32x4.sub(one4(), f32x4.div(two4(), f32x4.add(e, one4())));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(a, at(TANH, 5)));
}

/** Φ⁻¹(u) for u in (0, 1), exact complement 1−u in Float32 assumed (true of the uniforms of random.ts). */
// @ts-ignore: decorator
@inline
export function normalQuantile4(u: v128): v128 {
  const x = f32x4.sub(f32x4.add(u, u), one4());
  const w = f32x4.neg(log4(f32x4.mul(f32x4.mul(at(NORMAL, 0), u), f32x4.sub(one4(), u))));
  const c = f32x4.sub(w, at(NORMAL, 1));
  let p = horner(at(NORMAL_CENTRAL, 0), c, NORMAL_CENTRAL, 1);
  p = horner(p, c, NORMAL_CENTRAL, 2);
  p = horner(p, c, NORMAL_CENTRAL, 3);
  p = horner(p, c, NORMAL_CENTRAL, 4);
  p = horner(p, c, NORMAL_CENTRAL, 5);
  p = horner(p, c, NORMAL_CENTRAL, 6);
  p = horner(p, c, NORMAL_CENTRAL, 7);
  p = horner(p, c, NORMAL_CENTRAL, 8);
  // One vector in 75 has a lane in the tails.
  const central = f32x4.lt(w, at(NORMAL, 2));
  if (!i32x4.all_true(central)) p = v128.bitselect(p, normalTail4(w), central);
  return f32x4.mul(f32x4.mul(p, x), at(NORMAL, 4));
}

/** What stands for the central polynomial where w ≥ 5. */
function normalTail4(w: v128): v128 {
  const t = f32x4.sub(f32x4.sqrt(f32x4.max(w, splat(0))), at(NORMAL, 3));
  let p = horner(at(NORMAL_TAIL, 0), t, NORMAL_TAIL, 1);
  p = horner(p, t, NORMAL_TAIL, 2);
  p = horner(p, t, NORMAL_TAIL, 3);
  p = horner(p, t, NORMAL_TAIL, 4);
  p = horner(p, t, NORMAL_TAIL, 5);
  p = horner(p, t, NORMAL_TAIL, 6);
  p = horner(p, t, NORMAL_TAIL, 7);
  return horner(p, t, NORMAL_TAIL, 8);
}

/** log(u/(1−u)) for u in (0, 1): the quantile of the logistic distribution; absolute error about 1e-7 near ½, relative beyond. */
// @ts-ignore: decorator
@inline
export function logit4(u: v128): v128 {
  return log4(f32x4.div(u, f32x4.sub(one4(), u)));
}

// erfc(x) = t·e^(−x² + P(t)), t = 1/(1 + x/2): Press et al., "Numerical Recipes", erfccheb (relative error 1.2e-7).
const CDF = memory.data<f32>([
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223,
]);

/** Φ(x). In the tails the relative error is that of x² in Float32; under −9.1 it is 0 (no denormal numbers beyond e^−80 appear). */
export function normalCdf4(x: v128): v128 {
  const a = f32x4.mul(f32x4.abs(x), splat(0.7071067811865476));
  const t = f32x4.div(one4(), f32x4.add(one4(), f32x4.mul(half4(), a)));
  let p = horner(at(CDF, 0), t, CDF, 1);
  p = horner(p, t, CDF, 2);
  p = horner(p, t, CDF, 3);
  p = horner(p, t, CDF, 4);
  p = horner(p, t, CDF, 5);
  p = horner(p, t, CDF, 6);
  p = horner(p, t, CDF, 7);
  p = horner(p, t, CDF, 8);
  p = horner(p, t, CDF, 9);
  const power = f32x4.sub(p, f32x4.mul(a, a));
  const tail = v128.and(f32x4.mul(f32x4.mul(half4(), t), exp4(power)), f32x4.gt(power, splat(-80)));
  const value = v128.bitselect(f32x4.sub(one4(), tail), tail, f32x4.gt(x, splat(0)));
  // NaN stays.
  return v128.bitselect(value, x, f32x4.eq(x, x));
}
