// Four-lane Float32 special functions. Polynomials after Cephes (Moshier); the normal quantile after
// Giles, "Approximating the erfinv function" (2010). Only +, −, ×, ÷, √ and bit operations: the same bits everywhere.

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** e^x, x clamped to [−87.3, 88.3]; relative error about 1e-7. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  // pmax(x, y) is x < y ? y : x: one instruction where max takes seven, and NaN stays too.
  const clamped = f32x4.pmin(f32x4.pmax(x, splat(-87.3)), splat(88.3));
  const n = f32x4.nearest(f32x4.mul(clamped, splat(1.44269504088896341)));
  const r = f32x4.sub(f32x4.sub(clamped, f32x4.mul(n, splat(0.693359375))), f32x4.mul(n, splat(-2.12194440e-4)));
  let p = f32x4.add(f32x4.mul(splat(1.9875691500e-4), r), splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), splat(5.0000001201e-1));
  const y = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), splat(1));
  return i32x4.add(y, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23));
}

/** log x for positive, normal x; relative error about 1e-7. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const bits = i32x4.sub(x, i32x4.splat(0x3f3504f3)); // √½, so that the mantissa lies in [√½, √2)
  const exponent = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const mantissa = i32x4.add(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(mantissa, splat(1));
  const z = f32x4.mul(f, f);
  let p = f32x4.add(f32x4.mul(splat(7.0376836292e-2), f), splat(-1.1514610310e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(1.1676998740e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(-1.2420140846e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(1.4249322787e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(-1.6668057665e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(2.0000714765e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(-2.4999993993e-1));
  p = f32x4.add(f32x4.mul(p, f), splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, f), z);
  y = f32x4.add(y, f32x4.mul(exponent, splat(-2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(z, splat(0.5)));
  return f32x4.add(f32x4.add(f, y), f32x4.mul(exponent, splat(0.693359375)));
}

/** σ(x) */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), exp4(f32x4.neg(x))));
}

/** σ(x)(1−σ(x)), without cancellation. */
// @ts-ignore: decorator
@inline
export function sigmoidSlope4(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const d = f32x4.add(splat(1), e);
  return f32x4.div(e, f32x4.mul(d, d));
}

/** tanh x */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.add(f32x4.mul(splat(-5.70498872745e-3), z), splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), splat(-3.33332819422e-1));
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const e = exp4(f32x4.add(a, a));
  const large = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(e, splat(1))));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(a, splat(0.625)));
}

/** Φ⁻¹(u) for u in (0, 1), exact complement 1−u in Float32 assumed (true of the uniforms of random.ts). */
// @ts-ignore: decorator
@inline
export function normalQuantile4(u: v128): v128 {
  const x = f32x4.sub(f32x4.add(u, u), splat(1));
  const w = f32x4.neg(log4(f32x4.mul(f32x4.mul(splat(4), u), f32x4.sub(splat(1), u))));
  const c = f32x4.sub(w, splat(2.5));
  let central = f32x4.add(f32x4.mul(splat(2.81022636e-8), c), splat(3.43273939e-7));
  central = f32x4.add(f32x4.mul(central, c), splat(-3.5233877e-6));
  central = f32x4.add(f32x4.mul(central, c), splat(-4.39150654e-6));
  central = f32x4.add(f32x4.mul(central, c), splat(0.00021858087));
  central = f32x4.add(f32x4.mul(central, c), splat(-0.00125372503));
  central = f32x4.add(f32x4.mul(central, c), splat(-0.00417768164));
  central = f32x4.add(f32x4.mul(central, c), splat(0.246640727));
  central = f32x4.add(f32x4.mul(central, c), splat(1.50140941));
  const t = f32x4.sub(f32x4.sqrt(f32x4.max(w, splat(0))), splat(3));
  let tail = f32x4.add(f32x4.mul(splat(-0.000200214257), t), splat(0.000100950558));
  tail = f32x4.add(f32x4.mul(tail, t), splat(0.00134934322));
  tail = f32x4.add(f32x4.mul(tail, t), splat(-0.00367342844));
  tail = f32x4.add(f32x4.mul(tail, t), splat(0.00573950773));
  tail = f32x4.add(f32x4.mul(tail, t), splat(-0.0076224613));
  tail = f32x4.add(f32x4.mul(tail, t), splat(0.00943887047));
  tail = f32x4.add(f32x4.mul(tail, t), splat(1.00167406));
  tail = f32x4.add(f32x4.mul(tail, t), splat(2.83297682));
  const p = v128.bitselect(central, tail, f32x4.lt(w, splat(5)));
  return f32x4.mul(f32x4.mul(p, x), splat(1.4142135623730951));
}

/** log(u/(1−u)) for u in (0, 1): the quantile of the logistic distribution; absolute error about 1e-7 near ½, relative beyond. */
// @ts-ignore: decorator
@inline
export function logit4(u: v128): v128 {
  return log4(f32x4.div(u, f32x4.sub(splat(1), u)));
}
