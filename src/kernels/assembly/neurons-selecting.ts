// Twins of the neurons that keep the largest logits of every row, and of the smooth load. Items are rows.
// In the place of the state they get the selection bias: one number a unit, 0 where there is none. Arguments as in neurons.ts.
import { bytes, loadLanes, storeLanes, sumOfLanes } from './blocks-rows';
import { exp4, normalCdf4, normalQuantile4, one4, sigmoid4, splat } from './math';
import { scratch } from './scratch';

/** LEAST_OPEN of src/neurons/contract.ts. */
export const LEAST_OPEN: f32 = 1e-30;
const LOWEST: i32 = i32.MIN_VALUE;

// Three rows in scratch memory, of whole vectors: what units are weighed by, what they are selected by, and which are kept (all bits
// of an element, or none).
let scores: usize = 0;
let marks: usize = 0;
/** The smallest score that is kept and the largest that is not; infinite where there is none. */
let lastKept: f32 = 0;
let firstClosed: f32 = 0;

// @ts-ignore: decorator
@inline
function padded(units: i32): i32 {
  return (units + 3) & ~3;
}

/** Fills values and scores: a + scale·z, and that plus the bias. @returns whether all scores are finite */
function score(logits: usize, noise: usize, bias: usize, units: i32, scale: f32): bool {
  scores = scratch + bytes(padded(units));
  marks = scores + bytes(padded(units));
  const s = splat(scale);
  let broken = splat(0);
  for (let j = 0; j < units; j += 4) {
    const lanes = min(4, units - j);
    const o = bytes(j);
    let x = loadLanes(logits + o, lanes);
    if (noise) {
      // Beyond the row any uniform will do.
      const u = lanes == 4 ? v128.load(noise + o) : v128.or(loadLanes(noise + o, lanes), beyond(lanes));
      x = f32x4.add(x, f32x4.mul(s, normalQuantile4(u)));
    }
    v128.store(scratch + o, x);
    if (bias) x = f32x4.add(x, loadLanes(bias + o, lanes));
    v128.store(scores + o, x);
    broken = f32x4.add(broken, v128.andnot(f32x4.sub(x, x), lanes == 4 ? splat(0) : mask(lanes)));
  }
  return !v128.any_true(f32x4.ne(broken, splat(0)));
}

/** All bits of the lanes from `lanes` (1 to 3) on. */
// @ts-ignore: decorator
@inline
export function mask(lanes: i32): v128 {
  return i32x4.gt_s(i32x4(1, 2, 3, 4), i32x4.splat(lanes));
}

/** ½ in the lanes from `lanes` (1 to 3) on. */
// @ts-ignore: decorator
@inline
function beyond(lanes: i32): v128 {
  return v128.and(mask(lanes), splat(0.5));
}

/** A score as a whole number in the same order; −0 counts as 0. */
// @ts-ignore: decorator
@inline
function keyOf(score: v128): v128 {
  const bits = f32x4.add(score, splat(0));
  return v128.xor(bits, i32x4.shr_u(i32x4.shr_s(bits, 31), 1));
}

/** How many of the marks, as keys, are `least` or more. */
// @ts-ignore: decorator
@inline
function countFrom(least: i32, units: i32): i32 {
  const bound = i32x4.splat(least);
  let under = i32x4.splat(0);
  for (let j = 0; j < units; j += 4) under = i32x4.sub(under, i32x4.gt_s(bound, v128.load(marks + bytes(j))));
  return padded(units) - (i32x4.extract_lane(under, 0) + i32x4.extract_lane(under, 1)
    + (i32x4.extract_lane(under, 2) + i32x4.extract_lane(under, 3)));
}

/** Marks the `kept` (1 to units) largest scores; of equal ones those with the lower index. Fills the scores at the border. */
function select(units: i32, kept: i32): void {
  for (let j = 0; j < units; j += 4) {
    const key = keyOf(v128.load(scores + bytes(j)));
    const lanes = units - j;
    v128.store(marks + bytes(j), lanes >= 4 ? key : v128.bitselect(i32x4.splat(LOWEST), key, mask(lanes)));
  }
  // The largest bound that `kept` keys reach, bit by bit from the top, of keys as unsigned numbers.
  let prefix: u32 = 0;
  let count = units;
  for (let bit = 31; bit >= 0; bit--) {
    const bound = prefix | (<u32>1 << bit);
    const reached = countFrom(<i32>(bound ^ 0x80000000), units);
    if (reached < kept) continue;
    prefix = bound;
    count = reached;
    if (reached == kept) break;
  }
  const bound = <i32>(prefix ^ 0x80000000);
  // Keys over the bound are kept; of those at the bound so many.
  let room = units;
  if (count != kept) room = kept - countFrom(bound + 1, units);
  let least = splat(f32.POSITIVE_INFINITY), most = splat(f32.NEGATIVE_INFINITY);
  for (let j = 0; j < units; j += 4) {
    const o = bytes(j);
    const key = v128.load(marks + o);
    let open = i32x4.ge_s(key, i32x4.splat(bound));
    if (count != kept) {
      const same = i32x4.eq(key, i32x4.splat(bound));
      for (let bits = i32x4.bitmask(same); bits; bits &= bits - 1)
        if (room-- <= 0) open = withoutLane(open, ctz(bits));
    }
    v128.store(marks + o, open);
    const x = v128.load(scores + o);
    least = f32x4.pmin(least, v128.bitselect(x, splat(f32.POSITIVE_INFINITY), open));
    const closed = units - j >= 4 ? v128.not(open) : v128.andnot(v128.not(open), mask(units - j));
    most = f32x4.pmax(most, v128.bitselect(x, splat(f32.NEGATIVE_INFINITY), closed));
  }
  lastKept = min(
    min(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1)),
    min(f32x4.extract_lane(least, 2), f32x4.extract_lane(least, 3)),
  );
  firstClosed = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
}

// @ts-ignore: decorator
@inline
function withoutLane(x: v128, lane: i32): v128 {
  return v128.andnot(x, i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(lane)));
}

function fillLanes(to: usize, units: i32, x: f32): void {
  for (let j = 0; j < units; j++) store<f32>(to + bytes(j), x);
}

// @ts-ignore: decorator
@inline
function maxOfLanes(x: v128): f32 {
  return max(max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)), max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}

/** h of the largest units: their softmax, or where the second number is 1 their σ(a); first: how many, third: width of normal noise. */
export function fireLargest(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, bias: usize, first: f32, second: f32, third: f32,
): void {
  const least = splat(LEAST_OPEN);
  for (let r = begin; r < end; r++) {
    const o = bytes(units) * r;
    const to = h + o;
    if (!score(logits + o, noise && third != 0 ? noise + o : 0, bias, units, third)) {
      fillLanes(to, units, f32.NaN);
      continue;
    }
    select(units, <i32>first);
    if (second == 1) {
      for (let j = 0; j < units; j += 4) {
        const one = f32x4.pmax(sigmoid4(v128.load(scratch + bytes(j))), least);
        storeLanes(to + bytes(j), v128.and(one, v128.load(marks + bytes(j))), min(4, units - j));
      }
      continue;
    }
    let top = splat(f32.NEGATIVE_INFINITY);
    for (let j = 0; j < units; j += 4)
      top = f32x4.pmax(top, v128.bitselect(v128.load(scratch + bytes(j)), top, v128.load(marks + bytes(j))));
    const highest = splat(maxOfLanes(top));
    let total = splat(0);
    for (let j = 0; j < units; j += 4) {
      const p = scratch + bytes(j);
      const e = v128.and(exp4(f32x4.sub(v128.load(p), highest)), v128.load(marks + bytes(j)));
      v128.store(p, e);
      total = f32x4.add(total, e);
    }
    const sum = splat(sumOfLanes(total));
    for (let j = 0; j < units; j += 4) {
      const share = f32x4.pmax(f32x4.div(v128.load(scratch + bytes(j)), sum), least);
      storeLanes(to + bytes(j), v128.and(share, v128.load(marks + bytes(j))), min(4, units - j));
    }
  }
}

/** h_i(δ_i − Σ_j h_j·δ_j), or where the second number is 1 δ·h(1 − h); 0 where closed. */
export function pullbackLargest(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, bias: usize,
  first: f32, second: f32, third: f32,
): void {
  const zero = splat(0);
  for (let r = begin; r < end; r++) {
    const o = bytes(units) * r;
    let sums = zero;
    if (second != 1)
      for (let j = 0; j < units; j += 4) {
        const lanes = min(4, units - j);
        const y = loadLanes(h + o + bytes(j), lanes);
        const product = f32x4.mul(y, loadLanes(dh + o + bytes(j), lanes));
        sums = f32x4.add(sums, v128.and(product, f32x4.ne(y, zero)));
      }
    const mean = splat(sumOfLanes(sums));
    for (let j = 0; j < units; j += 4) {
      const lanes = min(4, units - j);
      const y = loadLanes(h + o + bytes(j), lanes);
      const d = loadLanes(dh + o + bytes(j), lanes);
      const inner = second == 1 ? f32x4.mul(d, f32x4.sub(one4(), y)) : f32x4.sub(d, mean);
      storeLanes(out + o + bytes(j), v128.and(f32x4.mul(y, inner), f32x4.ne(y, zero)), lanes);
    }
  }
}

/** What stands against a unit: the first closed score for one that is kept, the last kept one for one that is not. */
// @ts-ignore: decorator
@inline
function borderOf(j: i32): v128 {
  return v128.bitselect(splat(firstClosed), splat(lastKept), v128.load(marks + bytes(j)));
}

/** The score of a unit without its noise. */
// @ts-ignore: decorator
@inline
function quiet(logits: usize, bias: usize, j: i32, lanes: i32): v128 {
  const a = loadLanes(logits + bytes(j), lanes);
  return bias ? f32x4.add(a, loadLanes(bias + bytes(j), lanes)) : a;
}

/** P(h ≠ 0) given the noise of the others: Φ((a_i − border)/scale); 1 where all units are kept. */
export function openLargest(
  begin: i32, end: i32, logits: usize, noise: usize, out: usize, rows: i32, units: i32, bias: usize, first: f32, second: f32, third: f32,
): void {
  const scale = splat(third);
  for (let r = begin; r < end; r++) {
    const o = bytes(units) * r;
    if (!score(logits + o, noise + o, bias, units, third)) {
      fillLanes(out + o, units, f32.NaN);
      continue;
    }
    select(units, <i32>first);
    for (let j = 0; j < units; j += 4) {
      const lanes = min(4, units - j);
      const z = f32x4.div(f32x4.sub(quiet(logits + o, bias, j, lanes), borderOf(j)), scale);
      storeLanes(out + o + bytes(j), normalCdf4(z), lanes);
    }
  }
}

/** The gradient of Σ_i δ_i·P(h_i ≠ 0): every unit pulls on itself, and the other way on the unit at its border. */
export function pullbackOpenLargest(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, bias: usize,
  first: f32, second: f32, third: f32,
): void {
  const scale = splat(third);
  const factor = splat(0.3989422804014327 / third);
  for (let r = begin; r < end; r++) {
    const o = bytes(units) * r;
    if (!score(logits + o, noise + o, bias, units, third)) {
      fillLanes(out + o, units, 0);
      continue;
    }
    select(units, <i32>first);
    let ofKept = splat(0), ofClosed = splat(0);
    for (let j = 0; j < units; j += 4) {
      const lanes = min(4, units - j);
      const z = f32x4.div(f32x4.sub(quiet(logits + o, bias, j, lanes), borderOf(j)), scale);
      const half = f32x4.mul(f32x4.mul(z, z), splat(-0.5));
      // Under e^−80 it is nothing: no denormal numbers.
      const density = v128.and(exp4(half), f32x4.gt(half, splat(-80)));
      const pull = f32x4.mul(f32x4.mul(factor, density), loadLanes(dh + o + bytes(j), lanes));
      const open = v128.load(marks + bytes(j));
      ofKept = f32x4.add(ofKept, v128.and(pull, open));
      ofClosed = f32x4.add(ofClosed, v128.andnot(pull, open));
      storeLanes(out + o + bytes(j), pull, lanes);
    }
    if (<i32>first >= units) continue;
    for (let j = 0; j < units; j++) {
      if (load<i32>(marks + bytes(j)) || load<f32>(scores + bytes(j)) != firstClosed) continue;
      store<f32>(out + o + bytes(j), load<f32>(out + o + bytes(j)) - sumOfLanes(ofKept));
      break;
    }
    for (let j = units - 1; j >= 0; j--) {
      if (!load<i32>(marks + bytes(j)) || load<f32>(scores + bytes(j)) != lastKept) continue;
      store<f32>(out + o + bytes(j), load<f32>(out + o + bytes(j)) - sumOfLanes(ofClosed));
      break;
    }
  }
}
