// Transforms of uniforms; items are vectors of four elements (see elementwise.ts).
import { logit4, normalQuantile4, splat } from './math';

/** out = 1[u < p] */
export function bernoulli(begin: i32, end: i32, u: usize, p: usize, out: usize, n: i32): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, v128.and(f32x4.lt(v128.load(u + o), v128.load(p + o)), splat(1)));
  }
}

/** out = scale·log(u/(1−u)) */
export function logistic(begin: i32, end: i32, u: usize, out: usize, n: i32, scale: f32): void {
  const s = splat(scale);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, f32x4.mul(s, logit4(v128.load(u + o))));
  }
}

/** out = scale·Φ⁻¹(u) */
export function normal(begin: i32, end: i32, u: usize, out: usize, n: i32, scale: f32): void {
  const s = splat(scale);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, f32x4.mul(s, normalQuantile4(v128.load(u + o))));
  }
}
