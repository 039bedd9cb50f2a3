// Work items are vectors of four elements. Every allocation of the heap is padded to whole 64-byte lines, so the last
// vector may run over the end of a tensor, never over the end of its allocation.
import { splat } from './math';

/** out = x + y */
export function add(begin: i32, end: i32, x: usize, y: usize, out: usize, n: i32): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, f32x4.add(v128.load(x + o), v128.load(y + o)));
  }
}

/** out = x ⊙ y */
export function multiply(begin: i32, end: i32, x: usize, y: usize, out: usize, n: i32): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, f32x4.mul(v128.load(x + o), v128.load(y + o)));
  }
}

/** out = α·x */
export function scale(begin: i32, end: i32, x: usize, out: usize, n: i32, alpha: f32): void {
  const a = splat(alpha);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, f32x4.mul(a, v128.load(x + o)));
  }
}

/** out = out + α·x */
export function addScaled(begin: i32, end: i32, x: usize, out: usize, n: i32, alpha: f32): void {
  const a = splat(alpha);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, f32x4.add(v128.load(out + o), f32x4.mul(a, v128.load(x + o))));
  }
}

/** out = value */
export function fill(begin: i32, end: i32, out: usize, n: i32, value: f32): void {
  const v = splat(value);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) v128.store(out + o, v);
}
