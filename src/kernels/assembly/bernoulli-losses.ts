// Losses of Bernoulli units from their logits: rows × columns, one loss a row. Items are rows.
import { exp4, log4, sigmoid4, sigmoidSlope4, splat } from './math';

/** 1+e^−|x| */
// @ts-ignore: decorator
@inline
function onePlus4(x: v128): v128 {
  return f32x4.add(splat(1), exp4(f32x4.neg(f32x4.abs(x))));
}

/** max(l, 0) − t·l; with log(1+e^−|l|) it is log(1+e^l) − t·l. NaN or infinite where l is; 0 where l is −∞ and t 0. */
// @ts-ignore: decorator
@inline
function linearPart4(l: v128, t: v128): v128 {
  const masked = v128.and(f32x4.eq(l, splat(-Infinity)), f32x4.eq(t, splat(0)));
  return f32x4.sub(f32x4.pmax(l, splat(0)), v128.andnot(f32x4.mul(t, l), masked));
}

/** x·e where e falls to 0 faster than |x| grows: 0 at ±∞. */
// @ts-ignore: decorator
@inline
function vanishing4(x: v128, e: v128): v128 {
  return v128.and(f32x4.mul(x, e), f32x4.ne(f32x4.abs(x), splat(Infinity)));
}

/** log 2 − H(σ(a)) */
// @ts-ignore: decorator
@inline
function divergence4(a: v128): v128 {
  const size = f32x4.abs(a);
  const e = exp4(f32x4.neg(size));
  const one = f32x4.add(splat(1), e);
  const entropy = f32x4.add(log4(one), f32x4.div(vanishing4(size, e), one));
  return f32x4.sub(splat(0.69314718055994531), entropy);
}

/** Sum of the lanes. */
// @ts-ignore: decorator
@inline
function across(lanes: v128): f32 {
  return f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1)
    + (f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3));
}

/**
 * losses[r] = Σ_c log(1+e^l) − t·l. One logarithm for the product of 64 numbers 1+e^−|l|, each at most 2, in place of
 * one for each.
 */
export function sigmoidCrossEntropy(
  begin: i32, end: i32, logits: usize, targets: usize, losses: usize, rows: i32, columns: i32,
): void {
  for (let r = begin; r < end; r++) {
    let o = (<usize>(r * columns)) << 2;
    let lanes = splat(0);
    let c = 0;
    while (c + 4 <= columns) {
      const stop = min(c + 256, columns - 3);
      let product = splat(1);
      for (; c < stop; c += 4, o += 16) {
        const l = v128.load(logits + o);
        product = f32x4.mul(product, onePlus4(l));
        lanes = f32x4.add(lanes, linearPart4(l, v128.load(targets + o)));
      }
      lanes = f32x4.add(lanes, log4(product));
    }
    let sum = across(lanes);
    for (; c < columns; c++, o += 4) {
      const l = v128.load32_splat(logits + o);
      const value = f32x4.add(linearPart4(l, v128.load32_splat(targets + o)), log4(onePlus4(l)));
      sum += f32x4.extract_lane(value, 0);
    }
    store<f32>(losses + ((<usize>r) << 2), sum);
  }
}

/** out[r, c] = (σ(l) − t)·cotangent[r] */
export function sigmoidCrossEntropyPullback(
  begin: i32, end: i32, logits: usize, targets: usize, cotangent: usize, out: usize, rows: i32, columns: i32,
): void {
  for (let r = begin; r < end; r++) {
    let o = (<usize>(r * columns)) << 2;
    const weight = v128.load32_splat(cotangent + ((<usize>r) << 2));
    let c = 0;
    for (; c + 4 <= columns; c += 4, o += 16) {
      const difference = f32x4.sub(sigmoid4(v128.load(logits + o)), v128.load(targets + o));
      v128.store(out + o, f32x4.mul(difference, weight));
    }
    for (; c < columns; c++, o += 4) {
      const difference = f32x4.sub(sigmoid4(v128.load32_splat(logits + o)), v128.load32_splat(targets + o));
      store<f32>(out + o, f32x4.extract_lane(f32x4.mul(difference, weight), 0));
    }
  }
}

/** out[r] = Σ_c log 2 − H(σ(a)) */
export function bernoulliDivergence(begin: i32, end: i32, logits: usize, out: usize, rows: i32, columns: i32): void {
  for (let r = begin; r < end; r++) {
    let o = (<usize>(r * columns)) << 2;
    let lanes = splat(0);
    let c = 0;
    for (; c + 4 <= columns; c += 4, o += 16) lanes = f32x4.add(lanes, divergence4(v128.load(logits + o)));
    let sum = across(lanes);
    for (; c < columns; c++, o += 4) sum += f32x4.extract_lane(divergence4(v128.load32_splat(logits + o)), 0);
    store<f32>(out + ((<usize>r) << 2), sum);
  }
}

/** out[r, c] = a·σ(a)(1−σ(a))·cotangent[r] */
export function bernoulliDivergencePullback(
  begin: i32, end: i32, logits: usize, cotangent: usize, out: usize, rows: i32, columns: i32,
): void {
  for (let r = begin; r < end; r++) {
    let o = (<usize>(r * columns)) << 2;
    const weight = v128.load32_splat(cotangent + ((<usize>r) << 2));
    let c = 0;
    for (; c + 4 <= columns; c += 4, o += 16) {
      const a = v128.load(logits + o);
      v128.store(out + o, f32x4.mul(vanishing4(a, sigmoidSlope4(a)), weight));
    }
    for (; c < columns; c++, o += 4) {
      const a = v128.load32_splat(logits + o);
      store<f32>(out + o, f32x4.extract_lane(f32x4.mul(vanishing4(a, sigmoidSlope4(a)), weight), 0));
    }
  }
}
