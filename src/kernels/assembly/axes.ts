// Reductions and softmax along one axis of outer × extent × inner elements. A work item is one row where inner is 1, else a group of
// 16 columns of one outer index.
import { bytes, ceilDivide, loadLanes, storeLanes, sumOfLanes } from './blocks-rows';
import { fullLog4 } from './maps';
import { exp4, splat } from './math';
import { columnSums } from './rows';

/** Probabilities under 1e-26 are 0; see softmaxCrossEntropy. */
// @ts-ignore: decorator
@inline
function expBelow4(below: v128): v128 {
  return v128.andnot(exp4(below), f32x4.lt(below, splat(-60)));
}

/** Sum of a row: lanes in Float32 over at most 1,024 elements, their sums in Float64. */
function sumOfRow(from: usize, n: i32): f32 {
  let total: f64 = 0;
  let c = 0;
  while (c + 16 <= n) {
    const stop = min(c + 1024, n - 15);
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    for (; c < stop; c += 16, from += 64) {
      s0 = f32x4.add(s0, v128.load(from));
      s1 = f32x4.add(s1, v128.load(from, 16));
      s2 = f32x4.add(s2, v128.load(from, 32));
      s3 = f32x4.add(s3, v128.load(from, 48));
    }
    total += <f64>sumOfLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  }
  for (; c < n; c++, from += 4) total += <f64>load<f32>(from);
  return <f32>total;
}

/** The largest of four lanes; NaN where one is. */
// @ts-ignore: decorator
@inline
function largestLane(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)), max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/** Lanes where `broken` is set as NaN: pmax is one instruction where max takes seven, and forgets NaN. */
// @ts-ignore: decorator
@inline
function orNaN(x: v128, broken: v128): v128 {
  return v128.bitselect(splat(NaN), x, broken);
}

function maxOfRow(from: usize, n: i32): f32 {
  let m0 = splat(-f32.MAX_VALUE * 2), m1 = m0, m2 = m0, m3 = m0;
  let broken = splat(0);
  let c = 0;
  for (; c + 16 <= n; c += 16, from += 64) {
    const x0 = v128.load(from), x1 = v128.load(from, 16), x2 = v128.load(from, 32), x3 = v128.load(from, 48);
    m0 = f32x4.pmax(m0, x0), m1 = f32x4.pmax(m1, x1), m2 = f32x4.pmax(m2, x2), m3 = f32x4.pmax(m3, x3);
    broken = v128.or(broken, v128.or(v128.or(f32x4.ne(x0, x0), f32x4.ne(x1, x1)), v128.or(f32x4.ne(x2, x2), f32x4.ne(x3, x3))));
  }
  let largest = largestLane(orNaN(f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3)), broken));
  for (; c < n; c++, from += 4) largest = max(largest, load<f32>(from));
  return largest;
}

/** Writes e^(x − largest) of a row, or only sums them where `to` is 0. */
function expOfRow(from: usize, to: usize, n: i32, largest: f32): f32 {
  const top = splat(largest);
  let lanes = splat(0);
  let c = 0;
  for (; c + 4 <= n; c += 4, from += 16) {
    const e = expBelow4(f32x4.sub(v128.load(from), top));
    lanes = f32x4.add(lanes, e);
    if (to) v128.store(to, e), to += 16;
  }
  let sum = sumOfLanes(lanes);
  for (; c < n; c++, from += 4) {
    const e = expBelow4(f32x4.sub(v128.load32_splat(from), top));
    sum += f32x4.extract_lane(e, 0);
    if (to) v128.store32_lane(to, e, 0), to += 4;
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function log1(x: f32): f32 {
  return f32x4.extract_lane(fullLog4(splat(x)), 0);
}

/** m + log s; m alone where it is infinite */
// @ts-ignore: decorator
@inline
function logSum4(m: v128, s: v128): v128 {
  return v128.bitselect(m, f32x4.add(m, fullLog4(s)), f32x4.eq(f32x4.abs(m), splat(f32.MAX_VALUE * 2)));
}

function maxOfColumns(from: usize, extent: i32, step: usize, lanes: i32): v128 {
  let m = splat(-f32.MAX_VALUE * 2);
  let broken = splat(0);
  for (let i = 0; i < extent; i++, from += step) {
    const x = loadLanes(from, lanes);
    m = f32x4.pmax(m, x);
    broken = v128.or(broken, f32x4.ne(x, x));
  }
  return orNaN(m, broken);
}

/** The same as expOfRow for up to four columns. */
function expOfColumns(from: usize, to: usize, extent: i32, step: usize, lanes: i32, top: v128): v128 {
  let s = splat(0);
  for (let i = 0; i < extent; i++, from += step) {
    const e = expBelow4(f32x4.sub(loadLanes(from, lanes), top));
    s = f32x4.add(s, e);
    if (to) storeLanes(to, e, lanes), to += step;
  }
  return s;
}

/** out[o, i] = Σ, max or log Σ e^ over k of x[o, k, i]; operations 0, 1, 2. */
export function reduceAxis(
  begin: i32, end: i32, x: usize, out: usize, outer: i32, extent: i32, inner: i32, operation: i32,
): void {
  if (inner == 1) {
    for (let r = begin; r < end; r++) {
      const from = x + bytes(extent) * r;
      let value: f32;
      if (operation == 0) value = sumOfRow(from, extent);
      else {
        value = maxOfRow(from, extent);
        if (operation == 2 && Mathf.abs(value) != f32.MAX_VALUE * 2) value += log1(expOfRow(from, 0, extent, value));
      }
      store<f32>(out + bytes(r), value);
    }
    return;
  }
  const groups = ceilDivide(inner, 16);
  for (let item = begin; item < end; item++) {
    const o = item / groups, group = item - o * groups;
    const from = x + bytes(extent * inner) * o, to = out + bytes(inner) * o;
    if (operation == 0) {
      columnSums(group, group + 1, from, to, extent, inner);
      continue;
    }
    const last = min(inner, 16 * group + 16);
    for (let c = 16 * group; c < last; c += 4) {
      const lanes = min(4, last - c);
      let value = maxOfColumns(from + bytes(c), extent, bytes(inner), lanes);
      if (operation == 2) value = logSum4(value, expOfColumns(from + bytes(c), 0, extent, bytes(inner), lanes, value));
      storeLanes(to + bytes(c), value, lanes);
    }
  }
}

/** out = softmax of x along the extent, or its logarithm */
export function softmaxAxis(
  begin: i32, end: i32, x: usize, out: usize, outer: i32, extent: i32, inner: i32, logarithm: i32,
): void {
  if (inner == 1) {
    for (let r = begin; r < end; r++) softmaxOfRow(x + bytes(extent) * r, out + bytes(extent) * r, extent, logarithm);
    return;
  }
  const groups = ceilDivide(inner, 16);
  const step = bytes(inner);
  for (let item = begin; item < end; item++) {
    const o = item / groups, group = item - o * groups;
    const last = min(inner, 16 * group + 16);
    for (let c = 16 * group; c < last; c += 4) {
      const lanes = min(4, last - c);
      let from = x + bytes(extent * inner) * o + bytes(c);
      let to = out + bytes(extent * inner) * o + bytes(c);
      const top = maxOfColumns(from, extent, step, lanes);
      const sum = expOfColumns(from, logarithm ? 0 : to, extent, step, lanes, top);
      const logSum = fullLog4(sum);
      for (let i = 0; i < extent; i++, from += step, to += step)
        storeLanes(
          to,
          logarithm
            ? f32x4.sub(f32x4.sub(loadLanes(from, lanes), top), logSum)
            : f32x4.div(loadLanes(to, lanes), sum),
          lanes,
        );
    }
  }
}

function softmaxOfRow(from: usize, to: usize, n: i32, logarithm: i32): void {
  const largest = maxOfRow(from, n);
  const sum = expOfRow(from, logarithm ? 0 : to, n, largest);
  const top = splat(largest), logSum = splat(log1(sum)), inverse = splat(1 / sum);
  for (let c = 0; c < n; c += 4, from += 16, to += 16) {
    const lanes = min(4, n - c);
    const y = logarithm
      ? f32x4.sub(f32x4.sub(loadLanes(from, lanes), top), logSum)
      : f32x4.mul(loadLanes(to, lanes), inverse);
    storeLanes(to, y, lanes);
  }
}

/** out[rowOf[n], c] += x[n, c], rows in order; items are groups of 16 columns. */
export function scatterAddRows(
  begin: i32, end: i32, x: usize, rowOf: usize, out: usize, rows: i32, columns: i32,
): void {
  for (let group = begin; group < end; group++) {
    const first = 16 * group, last = min(columns, first + 16);
    for (let n = 0; n < rows; n++) {
      const from = x + bytes(columns) * n;
      const to = out + bytes(columns) * load<i32>(rowOf + bytes(n));
      for (let c = first; c < last; c += 4) {
        const lanes = min(4, last - c);
        storeLanes(to + bytes(c), f32x4.add(loadLanes(to + bytes(c), lanes), loadLanes(from + bytes(c), lanes)), lanes);
      }
    }
  }
}
