// The limit on the Euclidean norm of columns of weights.
import { splat } from './math';

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
