// Parameter updates; items are vectors of four elements but for maxNorm.
import { splat } from './math';

// Smaller gradients and moments count as 0 (see flushed). Squares of gradients over the least one, times 1 − β₂, are normal numbers.
const LEAST_GRADIENT: f32 = 1e-16;
const LEAST_MOMENT: f32 = 1e-30;
const LEAST_SQUARE: f32 = 1e-36;

/** x, or 0 where |x| < least: WebAssembly cannot flush denormal numbers, and arithmetic on them is a hundred times slower. */
// @ts-ignore: decorator
@inline
function flushed(x: v128, least: f32): v128 {
  return v128.and(x, f32x4.ge(f32x4.abs(x), splat(least)));
}

/** velocity = momentum·velocity − rate·gradient; weights += velocity */
export function momentumUpdate(
  begin: i32, end: i32, weights: usize, gradient: usize, velocity: usize, n: i32, rate: f32, momentum: f32,
): void {
  const a = splat(rate);
  const m = splat(momentum);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const sum = f32x4.sub(f32x4.mul(m, v128.load(velocity + o)), f32x4.mul(a, v128.load(gradient + o)));
    const v = flushed(sum, LEAST_MOMENT);
    v128.store(velocity + o, v);
    v128.store(weights + o, f32x4.add(v128.load(weights + o), v));
  }
}

/**
 * Adam: first = β₁·first + (1−β₁)·g; second = β₂·second + (1−β₂)·g²; weights −= rate·first/(√(second·correction) + ε),
 * with g = gradientScale·gradient; the caller folds 1/(1−β₁ᵗ) into rate and gives correction = 1/(1−β₂ᵗ).
 */
export function adamUpdate(
  begin: i32, end: i32, weights: usize, gradient: usize, first: usize, second: usize, n: i32,
  gradientScale: f32, rate: f32, beta1: f32, beta2: f32, correction: f32, epsilon: f32,
): void {
  const s = splat(gradientScale);
  const a = splat(rate);
  const b1 = splat(beta1);
  const b2 = splat(beta2);
  const c1 = splat(1 - beta1);
  const c2 = splat(1 - beta2);
  const k = splat(correction);
  const e = splat(epsilon);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const g = flushed(f32x4.mul(s, v128.load(gradient + o)), LEAST_GRADIENT);
    const m = flushed(f32x4.add(f32x4.mul(b1, v128.load(first + o)), f32x4.mul(c1, g)), LEAST_MOMENT);
    const v = flushed(f32x4.add(f32x4.mul(b2, v128.load(second + o)), f32x4.mul(c2, f32x4.mul(g, g))), LEAST_SQUARE);
    v128.store(first + o, m);
    v128.store(second + o, v);
    const d = f32x4.add(f32x4.sqrt(f32x4.mul(v, k)), e);
    v128.store(weights + o, f32x4.sub(v128.load(weights + o), f32x4.mul(a, f32x4.div(m, d))));
  }
}

// @ts-ignore: decorator
@inline
function limitingFactor(squares: v128, limit: f32): v128 {
  const norm = f32x4.sqrt(squares);
  return v128.bitselect(f32x4.div(splat(limit), norm), splat(1), f32x4.gt(norm, splat(limit)));
}

/** Max-norm of sixteen neighbouring columns: whole cache lines, and a second pass only where a norm is over the limit. */
function limitSixteen(column: usize, stride: usize, rows: i32, limit: f32): void {
  let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
  let p = column;
  for (let r = 0; r < rows; r++, p += stride) {
    const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32), d = v128.load(p, 48);
    s0 = f32x4.add(s0, f32x4.mul(a, a));
    s1 = f32x4.add(s1, f32x4.mul(b, b));
    s2 = f32x4.add(s2, f32x4.mul(c, c));
    s3 = f32x4.add(s3, f32x4.mul(d, d));
  }
  const f0 = limitingFactor(s0, limit), f1 = limitingFactor(s1, limit);
  const f2 = limitingFactor(s2, limit), f3 = limitingFactor(s3, limit);
  const least = f32x4.min(f32x4.min(f0, f1), f32x4.min(f2, f3));
  if (!v128.any_true(f32x4.lt(least, splat(1)))) return;
  p = column;
  for (let r = 0; r < rows; r++, p += stride) {
    v128.store(p, f32x4.mul(f0, v128.load(p)));
    v128.store(p, f32x4.mul(f1, v128.load(p, 16)), 16);
    v128.store(p, f32x4.mul(f2, v128.load(p, 32)), 32);
    v128.store(p, f32x4.mul(f3, v128.load(p, 48)), 48);
  }
}

/** Scales every column of weights (rows × columns) whose Euclidean norm is over `limit` down to it; items are groups of 16 columns. */
export function maxNorm(begin: i32, end: i32, weights: usize, rows: i32, columns: i32, limit: f32): void {
  const stride = (<usize>columns) << 2;
  for (let group = begin; group < end; group++) {
    const first = group * 16;
    const last = min(first + 16, columns);
    let c = first;
    if (last - first == 16) {
      limitSixteen(weights + ((<usize>first) << 2), stride, rows, limit);
      continue;
    }
    for (; c < last; c++) {
      let p = weights + ((<usize>c) << 2);
      let s: f32 = 0;
      for (let r = 0; r < rows; r++, p += stride) s += load<f32>(p) * load<f32>(p);
      const norm: f32 = sqrt<f32>(s);
      if (!(norm > limit)) continue;
      p = weights + ((<usize>c) << 2);
      for (let r = 0; r < rows; r++, p += stride) store<f32>(p, (limit / norm) * load<f32>(p));
    }
  }
}
