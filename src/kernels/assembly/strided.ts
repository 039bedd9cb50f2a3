// Kernels over arrays of any number of dimensions. The dimensions before the last are an odometer (`rank` of them): dims#
// holds their extents, then their strides in every operand, in elements. A work item is a part of one row of the last dimension.
// The numbers of the operations are their places in COMBINATIONS and THREES of src/kernels/strided.ts.
import { at, bytes, ceilDivide, copyRow, loadLanes, storeLanes } from './blocks-rows';
import { fullExp4, fullLog4, pow4, sign4 } from './maps';
import { half4, one4, splat } from './math';

/** Elements of a row that one work item covers. */
const CHUNK: i32 = 16384;

/** Where row r starts in an operand, in bytes: Σ index·stride. */
function startOf(r: i32, extents: usize, strides: usize, rank: i32): usize {
  let offset = 0;
  for (let d = rank - 1; d >= 0; d--) {
    const extent = at(extents, d);
    const quotient = r / extent;
    offset += (r - quotient * extent) * at(strides, d);
    r = quotient;
  }
  return bytes(offset);
}

/** Four elements from here, or the one that stands for all of them. */
// @ts-ignore: decorator
@inline
function take(from: usize, step: i32): v128 {
  return step ? v128.load(from) : v128.load32_splat(from);
}

// @ts-ignore: decorator
@inline
function takeLanes(from: usize, step: i32, lanes: i32): v128 {
  return step ? loadLanes(from, lanes) : v128.load32_splat(from);
}

class Add {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return f32x4.add(a, b); }
}
class Subtract {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return f32x4.sub(a, b); }
}
class Multiply {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return f32x4.mul(a, b); }
}
class Divide {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return f32x4.div(a, b); }
}
class Power {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return pow4(a, b); }
}
class Maximum {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return f32x4.max(a, b); }
}
class Minimum {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return f32x4.min(a, b); }
}
class Greater {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return v128.and(one4(), f32x4.gt(a, b)); }
}
class GreaterEqual {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return v128.and(one4(), f32x4.ge(a, b)); }
}
class Equal {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return v128.and(one4(), f32x4.eq(a, b)); }
}
class NotEqual {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return v128.and(one4(), f32x4.ne(a, b)); }
}
class Keep {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return v128.and(b, f32x4.ne(a, splat(0))); }
}
class Drop {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return v128.and(b, f32x4.eq(a, splat(0))); }
}
class SquaredDifference {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 {
    const d = f32x4.sub(a, b);
    return f32x4.mul(d, d);
  }
}
class AbsoluteDifference {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return f32x4.abs(f32x4.sub(a, b)); }
}
/** Where a weight of 0 meets −∞. */
// @ts-ignore: decorator
@inline
function masked4(weight: v128, b: v128): v128 {
  return v128.and(f32x4.eq(weight, splat(0)), f32x4.eq(b, splat(-Infinity)));
}
/** a·b, and 0 where a is 0 and b −∞ */
class Weighed {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128): v128 { return v128.andnot(f32x4.mul(a, b), masked4(a, b)); }
}

/** n elements of one row. */
function combineRow<F>(p: usize, q: usize, o: usize, n: i32, aStep: i32, bStep: i32): void {
  const aBytes = <usize>(aStep << 4), bBytes = <usize>(bStep << 4);
  for (; n >= 4; n -= 4, p += aBytes, q += bBytes, o += 16)
    v128.store(o, changetype<F>(0).of(take(p, aStep), take(q, bStep)));
  if (n > 0) storeLanes(o, changetype<F>(0).of(takeLanes(p, aStep, n), takeLanes(q, bStep, n)), n);
}

/** out = a ∘ b, both broadcast; steps in the last dimension are 0 or 1. */
export function combine(
  begin: i32, end: i32, a: usize, b: usize, dims: usize, out: usize,
  rank: i32, rows: i32, columns: i32, aStep: i32, bStep: i32, operation: i32,
): void {
  const chunks = ceilDivide(columns, CHUNK);
  const aStrides = dims + bytes(rank), bStrides = aStrides + bytes(rank);
  for (let item = begin; item < end; item++) {
    const r = item / chunks;
    const c = (item - r * chunks) * CHUNK;
    const p = a + startOf(r, dims, aStrides, rank) + bytes(c * aStep);
    const q = b + startOf(r, dims, bStrides, rank) + bytes(c * bStep);
    const o = out + bytes(columns) * r + bytes(c);
    const n = min(CHUNK, columns - c);
    switch (operation) {
      case 0: combineRow<Add>(p, q, o, n, aStep, bStep); break;
      case 1: combineRow<Subtract>(p, q, o, n, aStep, bStep); break;
      case 2: combineRow<Multiply>(p, q, o, n, aStep, bStep); break;
      case 3: combineRow<Divide>(p, q, o, n, aStep, bStep); break;
      case 4: combineRow<Power>(p, q, o, n, aStep, bStep); break;
      case 5: combineRow<Maximum>(p, q, o, n, aStep, bStep); break;
      case 6: combineRow<Minimum>(p, q, o, n, aStep, bStep); break;
      case 7: combineRow<Greater>(p, q, o, n, aStep, bStep); break;
      case 8: combineRow<GreaterEqual>(p, q, o, n, aStep, bStep); break;
      case 9: combineRow<Equal>(p, q, o, n, aStep, bStep); break;
      case 10: combineRow<NotEqual>(p, q, o, n, aStep, bStep); break;
      case 11: combineRow<Keep>(p, q, o, n, aStep, bStep); break;
      case 12: combineRow<Drop>(p, q, o, n, aStep, bStep); break;
      case 13: combineRow<SquaredDifference>(p, q, o, n, aStep, bStep); break;
      case 14: combineRow<AbsoluteDifference>(p, q, o, n, aStep, bStep); break;
      case 15: combineRow<Weighed>(p, q, o, n, aStep, bStep); break;
    }
  }
}

class Where {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 { return v128.bitselect(b, c, f32x4.ne(a, splat(0))); }
}
/** −c·a/b² */
class QuotientSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 {
    return f32x4.neg(f32x4.div(f32x4.mul(c, f32x4.div(a, b)), b));
  }
}
/** c·b·a^(b−1), and 0 where b is */
class PowerSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 {
    const slope = f32x4.mul(f32x4.mul(c, b), pow4(a, f32x4.sub(b, one4())));
    return v128.and(slope, f32x4.ne(b, splat(0)));
  }
}
/** c·a^b·log a, with log 1 for log 0 */
class ExponentSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 {
    const base = v128.bitselect(a, one4(), f32x4.ne(a, splat(0)));
    return f32x4.mul(f32x4.mul(c, pow4(a, b)), fullLog4(base));
  }
}
/** c where a > b, half of it where they are equal */
class GreaterShare {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 {
    const share = v128.or(v128.and(one4(), f32x4.gt(a, b)), v128.and(half4(), f32x4.eq(a, b)));
    return f32x4.mul(c, share);
  }
}
class SquaredSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 {
    const d = f32x4.sub(a, b);
    return f32x4.mul(f32x4.add(d, d), c);
  }
}
class AbsoluteSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 { return f32x4.mul(sign4(f32x4.sub(a, b)), c); }
}
/** Huber's loss times c: ½d² for |d| ≤ p, else p(|d| − ½p) */
class Huber {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 {
    const d = f32x4.abs(f32x4.sub(a, b));
    const near = f32x4.min(d, p);
    return f32x4.mul(c, f32x4.mul(near, f32x4.sub(d, f32x4.mul(half4(), near))));
  }
}
class HuberSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 {
    const d = f32x4.sub(a, b);
    return f32x4.mul(f32x4.max(f32x4.neg(p), f32x4.min(d, p)), c);
  }
}
/** a·(b − c) */
class SoftmaxSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 { return f32x4.mul(a, f32x4.sub(b, c)); }
}
/** b − e^a·c */
class LogSoftmaxSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 { return f32x4.sub(b, f32x4.mul(fullExp4(a), c)); }
}
/** c·e^(a − b) */
class ShareOfSum {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 { return f32x4.mul(c, fullExp4(f32x4.sub(a, b))); }
}
/** b·c, and 0 where a is 0 and b −∞ */
class WeighedSlope {
  // @ts-ignore: decorator
  @inline of(a: v128, b: v128, c: v128, p: v128): v128 { return v128.andnot(f32x4.mul(b, c), masked4(a, b)); }
}

/** n elements of one row. */
function threeRow<F>(p: usize, q: usize, s: usize, o: usize, n: i32, aStep: i32, bStep: i32, cStep: i32, p4: v128): void {
  const aBytes = <usize>(aStep << 4), bBytes = <usize>(bStep << 4), cBytes = <usize>(cStep << 4);
  for (; n >= 4; n -= 4, p += aBytes, q += bBytes, s += cBytes, o += 16)
    v128.store(o, changetype<F>(0).of(take(p, aStep), take(q, bStep), take(s, cStep), p4));
  if (n > 0)
    storeLanes(o, changetype<F>(0).of(takeLanes(p, aStep, n), takeLanes(q, bStep, n), takeLanes(s, cStep, n), p4), n);
}

/** out = f(a, b, c), all three broadcast; steps in the last dimension are 0 or 1. */
export function combineThree(
  begin: i32, end: i32, a: usize, b: usize, c: usize, dims: usize, out: usize,
  rank: i32, rows: i32, columns: i32, aStep: i32, bStep: i32, cStep: i32, operation: i32, parameter: f32,
): void {
  const chunks = ceilDivide(columns, CHUNK);
  const aStrides = dims + bytes(rank), bStrides = aStrides + bytes(rank), cStrides = bStrides + bytes(rank);
  const p4 = splat(parameter);
  for (let item = begin; item < end; item++) {
    const r = item / chunks;
    const i = (item - r * chunks) * CHUNK;
    const p = a + startOf(r, dims, aStrides, rank) + bytes(i * aStep);
    const q = b + startOf(r, dims, bStrides, rank) + bytes(i * bStep);
    const s = c + startOf(r, dims, cStrides, rank) + bytes(i * cStep);
    const o = out + bytes(columns) * r + bytes(i);
    const n = min(CHUNK, columns - i);
    switch (operation) {
      case 0: threeRow<Where>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 1: threeRow<QuotientSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 2: threeRow<PowerSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 3: threeRow<ExponentSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 4: threeRow<GreaterShare>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 5: threeRow<SquaredSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 6: threeRow<AbsoluteSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 7: threeRow<Huber>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 8: threeRow<HuberSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 9: threeRow<SoftmaxSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 10: threeRow<LogSoftmaxSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 11: threeRow<ShareOfSum>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
      case 12: threeRow<WeighedSlope>(p, q, s, o, n, aStep, bStep, cStep, p4); break;
    }
  }
}

/** Element by element from one array with strides to another; any steps. Bits stay, those of whole numbers too. */
export function copyStrided(
  begin: i32, end: i32, x: usize, dims: usize, out: usize,
  rank: i32, rows: i32, columns: i32, xStep: i32, outStep: i32,
): void {
  const chunks = ceilDivide(columns, CHUNK);
  const xStrides = dims + bytes(rank), outStrides = xStrides + bytes(rank);
  for (let item = begin; item < end; item++) {
    const r = item / chunks;
    const first = (item - r * chunks) * CHUNK;
    const n = min(CHUNK, columns - first);
    let from = x + startOf(r, dims, xStrides, rank) + bytes(first * xStep);
    let to = out + startOf(r, dims, outStrides, rank) + bytes(first * outStep);
    if (xStep == 1 && outStep == 1) copyRow(to, from, n);
    else for (let i = 0; i < n; i++, from += bytes(xStep), to += bytes(outStep)) store<i32>(to, load<i32>(from));
  }
}
