// Noisy weights and how their spread learns; items are vectors of four elements (see elementwise.ts).
import { exp4, normalQuantile4, splat } from './math';

/** out = mean + deviation·Φ⁻¹(u) */
export function perturb(begin: i32, end: i32, mean: usize, deviation: usize, u: usize, out: usize, n: i32): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const noise = f32x4.mul(v128.load(deviation + o), normalQuantile4(v128.load(u + o)));
    v128.store(out + o, f32x4.add(v128.load(mean + o), noise));
  }
}

/** sums += g; squares += g² */
export function addMoments(begin: i32, end: i32, g: usize, sums: usize, squares: usize, n: i32): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const x = v128.load(g + o);
    v128.store(sums + o, f32x4.add(v128.load(sums + o), x));
    v128.store(squares + o, f32x4.add(v128.load(squares + o), f32x4.mul(x, x)));
  }
}

/** variance = e^logVariance; deviation = √variance */
export function spread(begin: i32, end: i32, logVariance: usize, variance: usize, deviation: usize, n: i32): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const v = exp4(v128.load(logVariance + o));
    v128.store(variance + o, v);
    v128.store(deviation + o, f32x4.sqrt(v));
  }
}

/**
 * dMean = (sums + share·(mean − priorMean)/priorVariance);
 * dLogVariance = ½·(variance·squares + share·(variance/priorVariance − 1))
 */
export function descriptionLength(
  begin: i32, end: i32, mean: usize, variance: usize, sums: usize, squares: usize, dMean: usize, dLogVariance: usize,
  n: i32, share: f32, priorMean: f32, priorVariance: f32,
): void {
  const precision = splat(1 / priorVariance);
  const m = splat(priorMean);
  const k = splat(share);
  const half = splat(0.5);
  const one = splat(1);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const pull = f32x4.mul(k, f32x4.mul(precision, f32x4.sub(v128.load(mean + o), m)));
    v128.store(dMean + o, f32x4.add(v128.load(sums + o), pull));
    const v = v128.load(variance + o);
    const widen = f32x4.mul(k, f32x4.sub(f32x4.mul(precision, v), one));
    v128.store(dLogVariance + o, f32x4.mul(half, f32x4.add(f32x4.mul(v, v128.load(squares + o)), widen)));
  }
}
