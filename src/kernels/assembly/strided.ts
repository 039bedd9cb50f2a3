// Kernels over arrays of any number of dimensions. The dimensions before the last are an odometer (`rank` of them): dims#
// holds their extents, then their strides in every operand, in elements. A work item is a part of one row of the last dimension.
// The numbers of the operations are their places in COMBINATIONS and THREES of src/kernels/strided.ts.
import { at, bytes, ceilDivide, copyRow, loadLanes, storeLanes } from './blocks-rows';
import { fullExp4, fullLog4, sign4 } from './maps';
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

function pow4(x: v128, y: v128): v128 {
  let z = f32x4.splat(Mathf.pow(f32x4.extract_lane(x, 0), f32x4.extract_lane(y, 0)));
  z = f32x4.replace_lane(z, 1, Mathf.pow(f32x4.extract_lane(x, 1), f32x4.extract_lane(y, 1)));
  z = f32x4.replace_lane(z, 2, Mathf.pow(f32x4.extract_lane(x, 2), f32x4.extract_lane(y, 2)));
  return f32x4.replace_lane(z, 3, Mathf.pow(f32x4.extract_lane(x, 3), f32x4.extract_lane(y, 3)));
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

function combineAll<F>(
  begin: i32, end: i32, a: usize, b: usize, dims: usize, out: usize,
  rank: i32, columns: i32, aStep: i32, bStep: i32,
): void {
  const chunks = ceilDivide(columns, CHUNK);
  const aStrides = dims + bytes(rank), bStrides = aStrides + bytes(rank);
  for (let item = begin; item < end; item++) {
    const r = item / chunks;
    let c = (item - r * chunks) * CHUNK;
    const last = min(c + CHUNK, columns);
    let p = a + startOf(r, dims, aStrides, rank) + bytes(c * aStep);
    let q = b + startOf(r, dims, bStrides, rank) + bytes(c * bStep);
    let o = out + bytes(columns) * r + bytes(c);
    for (; c + 4 <= last; c += 4, o += 16) {
      v128.store(o, changetype<F>(0).of(take(p, aStep), take(q, bStep)));
      p += <usize>(aStep << 4);
      q += <usize>(bStep << 4);
    }
    const lanes = last - c;
    if (lanes > 0) storeLanes(o, changetype<F>(0).of(takeLanes(p, aStep, lanes), takeLanes(q, bStep, lanes)), lanes);
  }
}

/** out = a ∘ b, both broadcast; steps in the last dimension are 0 or 1. */
export function combine(
  begin: i32, end: i32, a: usize, b: usize, dims: usize, out: usize,
  rank: i32, rows: i32, columns: i32, aStep: i32, bStep: i32, operation: i32,
): void {
  switch (operation) {
    case 0: return combineAll<Add>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 1: return combineAll<Subtract>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 2: return combineAll<Multiply>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 3: return combineAll<Divide>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 4: return combineAll<Power>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 5: return combineAll<Maximum>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 6: return combineAll<Minimum>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 7: return combineAll<Greater>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 8: return combineAll<GreaterEqual>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 9: return combineAll<Equal>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 10: return combineAll<NotEqual>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 11: return combineAll<Keep>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 12: return combineAll<Drop>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 13: return combineAll<SquaredDifference>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
    case 14: return combineAll<AbsoluteDifference>(begin, end, a, b, dims, out, rank, columns, aStep, bStep);
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

function threeAll<F>(
  begin: i32, end: i32, a: usize, b: usize, c: usize, dims: usize, out: usize,
  rank: i32, columns: i32, aStep: i32, bStep: i32, cStep: i32, parameter: f32,
): void {
  const chunks = ceilDivide(columns, CHUNK);
  const aStrides = dims + bytes(rank), bStrides = aStrides + bytes(rank), cStrides = bStrides + bytes(rank);
  const p4 = splat(parameter);
  for (let item = begin; item < end; item++) {
    const r = item / chunks;
    let i = (item - r * chunks) * CHUNK;
    const last = min(i + CHUNK, columns);
    let p = a + startOf(r, dims, aStrides, rank) + bytes(i * aStep);
    let q = b + startOf(r, dims, bStrides, rank) + bytes(i * bStep);
    let s = c + startOf(r, dims, cStrides, rank) + bytes(i * cStep);
    let o = out + bytes(columns) * r + bytes(i);
    for (; i + 4 <= last; i += 4, o += 16) {
      v128.store(o, changetype<F>(0).of(take(p, aStep), take(q, bStep), take(s, cStep), p4));
      p += <usize>(aStep << 4);
      q += <usize>(bStep << 4);
      s += <usize>(cStep << 4);
    }
    const n = last - i;
    if (n > 0)
      storeLanes(o, changetype<F>(0).of(takeLanes(p, aStep, n), takeLanes(q, bStep, n), takeLanes(s, cStep, n), p4), n);
  }
}

/** out = f(a, b, c), all three broadcast; steps in the last dimension are 0 or 1. */
export function combineThree(
  begin: i32, end: i32, a: usize, b: usize, c: usize, dims: usize, out: usize,
  rank: i32, rows: i32, columns: i32, aStep: i32, bStep: i32, cStep: i32, operation: i32, p: f32,
): void {
  switch (operation) {
    case 0: return threeAll<Where>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 1: return threeAll<QuotientSlope>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 2: return threeAll<PowerSlope>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 3: return threeAll<ExponentSlope>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 4: return threeAll<GreaterShare>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 5: return threeAll<SquaredSlope>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 6: return threeAll<AbsoluteSlope>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 7: return threeAll<Huber>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 8: return threeAll<HuberSlope>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 9: return threeAll<SoftmaxSlope>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 10: return threeAll<LogSoftmaxSlope>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
    case 11: return threeAll<ShareOfSum>(begin, end, a, b, c, dims, out, rank, columns, aStep, bStep, cStep, p);
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
