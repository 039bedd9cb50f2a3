// The chance of being open of noisy rectifiers, and its pullback. Items are vectors of four elements; the roles are called as neurons.ts says.
import { exp4, normalCdf4, splat } from './math';

/** P(h ≠ 0) = Φ(a/s), s the first number */
export function openNormal(
  begin: i32, end: i32, logits: usize, noise: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16)
    v128.store(out + o, normalCdf4(f32x4.mul(inverse, v128.load(logits + o))));
}

/** δ·φ(a/s)/s */
export function pullbackOpenNormal(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize,
  first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  const factor = splat(0.3989422804014327 / first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const z = f32x4.mul(inverse, v128.load(logits + o));
    const half = f32x4.mul(f32x4.mul(z, z), splat(-0.5));
    // Under e^−80 it is nothing: no denormal numbers.
    const density = v128.and(exp4(half), f32x4.gt(half, splat(-80)));
    v128.store(out + o, f32x4.mul(f32x4.mul(factor, density), v128.load(dh + o)));
  }
}
