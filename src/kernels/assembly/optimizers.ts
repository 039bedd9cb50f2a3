// Parameter updates; items are vectors of four elements where nothing else is said.
import { at, bytes, ceilDivide, loadLanes, storeLanes } from './blocks-rows';
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

// A rule is eight numbers: which (1: momentum, 2: Adam), then its own; see src/kernels/optimizers.ts.
const ADAM: f32 = 2;

// What the functions below work with, in every lane. These are a thread's own.
let isAdam: bool = false;
let scale: v128 = f32x4.splat(0);
let rate: v128 = f32x4.splat(0);
let beta1: v128 = f32x4.splat(0);
let beta2: v128 = f32x4.splat(0);
let rest1: v128 = f32x4.splat(0);
let rest2: v128 = f32x4.splat(0);
let correction: v128 = f32x4.splat(0);
let epsilon: v128 = f32x4.splat(0);

function readRule(rule: usize): void {
  isAdam = load<f32>(rule) == ADAM;
  if (isAdam) return setAdam(
    load<f32>(rule, 4), load<f32>(rule, 8), load<f32>(rule, 12), load<f32>(rule, 16), load<f32>(rule, 20), load<f32>(rule, 24),
  );
  rate = splat(load<f32>(rule, 4));
  beta1 = splat(load<f32>(rule, 8));
}

function setAdam(gradientScale: f32, a: f32, b1: f32, b2: f32, k: f32, e: f32): void {
  scale = splat(gradientScale), rate = splat(a), beta1 = splat(b1), beta2 = splat(b2);
  rest1 = splat(1 - b1), rest2 = splat(1 - b2), correction = splat(k), epsilon = splat(e);
}

/** m and g with decay b and its rest c. */
// @ts-ignore: decorator
@inline
function decayed(m: v128, b: v128, g: v128, c: v128, least: f32): v128 {
  return flushed(f32x4.add(f32x4.mul(b, m), f32x4.mul(c, g)), least);
}

/** w − a·m/(√(v·k) + e) */
// @ts-ignore: decorator
@inline
function moved(w: v128, m: v128, v: v128, a: v128, k: v128, e: v128): v128 {
  return f32x4.sub(w, f32x4.mul(a, f32x4.div(m, f32x4.add(f32x4.sqrt(f32x4.mul(v, k)), e))));
}

/** The rule that was read, for n elements with these gradients. */
function applyRule(n: i32, weights: usize, gradient: usize, first: usize, second: usize): void {
  if (isAdam) applyAdam(n, weights, gradient, first, second);
  else applyMomentum(n, weights, gradient, first);
}

function applyMomentum(n: i32, weights: usize, gradient: usize, velocity: usize): void {
  const a = rate, b = beta1;
  for (let i = 0; i < n; i += 4) {
    const lanes = min(4, n - i);
    const o = bytes(i);
    const g = loadLanes(gradient + o, lanes);
    const v = flushed(f32x4.sub(f32x4.mul(b, loadLanes(velocity + o, lanes)), f32x4.mul(a, g)), LEAST_MOMENT);
    storeLanes(velocity + o, v, lanes);
    storeLanes(weights + o, f32x4.add(loadLanes(weights + o, lanes), v), lanes);
  }
}

function applyAdam(n: i32, weights: usize, gradient: usize, first: usize, second: usize): void {
  const s = scale, a = rate, b1 = beta1, b2 = beta2, c1 = rest1, c2 = rest2, k = correction, e = epsilon;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const o = bytes(i);
    const g = flushed(f32x4.mul(s, v128.load(gradient + o)), LEAST_GRADIENT);
    const m = decayed(v128.load(first + o), b1, g, c1, LEAST_MOMENT);
    const v = decayed(v128.load(second + o), b2, f32x4.mul(g, g), c2, LEAST_SQUARE);
    v128.store(first + o, m);
    v128.store(second + o, v);
    v128.store(weights + o, moved(v128.load(weights + o), m, v, a, k, e));
  }
  if (i == n) return;
  const o = bytes(i);
  const lanes = n - i;
  const g = flushed(f32x4.mul(s, loadLanes(gradient + o, lanes)), LEAST_GRADIENT);
  const m = decayed(loadLanes(first + o, lanes), b1, g, c1, LEAST_MOMENT);
  const v = decayed(loadLanes(second + o, lanes), b2, f32x4.mul(g, g), c2, LEAST_SQUARE);
  storeLanes(first + o, m, lanes);
  storeLanes(second + o, v, lanes);
  storeLanes(weights + o, moved(loadLanes(weights + o, lanes), m, v, a, k, e), lanes);
}

/** The rule for n elements that lie one behind the other. */
export function update(rule: usize, n: i32, weights: usize, gradient: usize, first: usize, second: usize): void {
  readRule(rule);
  applyRule(n, weights, gradient, first, second);
}

/** velocity = momentum·velocity − rate·gradient; weights += velocity */
export function momentumUpdate(
  begin: i32, end: i32, weights: usize, gradient: usize, velocity: usize, n: i32, a: f32, momentum: f32,
): void {
  isAdam = false, rate = splat(a), beta1 = splat(momentum);
  const o = bytes(4 * begin);
  applyRule(4 * (end - begin), weights + o, gradient + o, velocity + o, 0);
}

/**
 * Adam: first = β₁·first + (1−β₁)·g; second = β₂·second + (1−β₂)·g²; weights −= rate·first/(√(second·correction) + ε),
 * with g = gradientScale·gradient; the caller folds 1/(1−β₁ᵗ) into rate and gives correction = 1/(1−β₂ᵗ).
 */
export function adamUpdate(
  begin: i32, end: i32, weights: usize, gradient: usize, first: usize, second: usize, n: i32,
  gradientScale: f32, a: f32, b1: f32, b2: f32, k: f32, e: f32,
): void {
  isAdam = true;
  setAdam(gradientScale, a, b1, b2, k, e);
  const o = bytes(4 * begin);
  applyRule(4 * (end - begin), weights + o, gradient + o, first + o, second + o);
}

/** Elements of a block in one item of updateBlocks and catchUp. */
const STRETCH: i32 = 4096;

/** The rule for blocks with an open pair; the others stay as they are. An item is a stretch of a block. */
export function updateBlocks(
  begin: i32, end: i32, weights: usize, gradient: usize, first: usize, second: usize, rule: usize, blockStart: usize,
  blocks: i32, size: i32,
): void {
  readRule(rule);
  const stretches = ceilDivide(size, STRETCH);
  for (let item = begin; item < end; item++) {
    const k = item / stretches;
    if (at(blockStart, k) == at(blockStart, k + 1)) continue;
    const from = (item % stretches) * STRETCH;
    const o = bytes(k * size + from);
    applyRule(min(STRETCH, size - from), weights + o, gradient + o, first + o, second + o);
  }
}

/**
 * The steps last[k] + 1 to now, without a gradient, of blocks with an open pair (or of all, where blockStart is 0). Step n has the
 * rule n % room of the history. An item is a stretch of a block. The same operations in the same order as one step at a time.
 */
export function catchUp(
  begin: i32, end: i32, weights: usize, first: usize, second: usize, history: usize, last: usize, blockStart: usize,
  blocks: i32, size: i32, now: i32, room: i32,
): void {
  const stretches = ceilDivide(size, STRETCH);
  for (let item = begin; item < end; item++) {
    const k = item / stretches;
    const before = at(last, k);
    if (before == now || (blockStart && at(blockStart, k) == at(blockStart, k + 1))) continue;
    const from = (item % stretches) * STRETCH;
    const o = bytes(k * size + from);
    const n = min(STRETCH, size - from);
    readRule(history + 32 * (now % room));
    if (isAdam) repeatAdam(n, weights + o, first + o, second + o, history, before + 1, now, room);
    else repeatMomentum(n, weights + o, first + o, history, before + 1, now, room);
  }
}

/** A moment without a gradient: flushed(b·m − 0) and flushed(b·m + 0) are the same, for no moment is −0. */
// @ts-ignore: decorator
@inline
function faded(m: v128, b: v128, least: f32): v128 {
  return flushed(f32x4.mul(b, m), least);
}

function repeatMomentum(
  n: i32, weights: usize, velocity: usize, history: usize, from: i32, to: i32, room: i32,
): void {
  for (let i = 0; i < n; i += 4) {
    const lanes = min(4, n - i);
    const o = bytes(i);
    let v = loadLanes(velocity + o, lanes);
    let w = loadLanes(weights + o, lanes);
    for (let s = from; s <= to && v128.any_true(v); s++) {
      v = faded(v, v128.load32_splat(history + 32 * (s % room), 8), LEAST_MOMENT);
      w = f32x4.add(w, v);
    }
    storeLanes(velocity + o, v, lanes);
    storeLanes(weights + o, w, lanes);
  }
}

/** Are all lanes 0, or so large that so many steps of a decay leave them over `least`? (Then nothing is flushed.) */
// @ts-ignore: decorator
@inline
function lasts(m: v128, bound: v128): bool {
  return i32x4.all_true(v128.or(f32x4.ge(f32x4.abs(m), bound), f32x4.eq(m, splat(0))));
}

/** What `least` was before so many steps of a decay, and 1% more. */
function boundOf(least: f32, decay: f32, steps: i32): v128 {
  let bound = least * 1.01;
  for (let s = 0; s < steps; s++) bound /= decay;
  return splat(bound);
}

/** Eight elements at a time: the divisions of several steps overlap by themselves. */
function repeatAdam(
  n: i32, weights: usize, first: usize, second: usize, history: usize, from: i32, to: i32, room: i32,
): void {
  const b1 = beta1, b2 = beta2, e = epsilon;
  const steps = to - from + 1;
  const bound1 = boundOf(LEAST_MOMENT, f32x4.extract_lane(b1, 0), steps);
  const bound2 = boundOf(LEAST_SQUARE, f32x4.extract_lane(b2, 0), steps);
  const end = history + 32 * room;
  const begin = history + 32 * (from % room);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const o = bytes(i);
    let m0 = v128.load(first + o), m1 = v128.load(first + o, 16);
    let v0 = v128.load(second + o), v1 = v128.load(second + o, 16);
    // Most units of a block that has never been open.
    if (!v128.any_true(v128.or(v128.or(m0, m1), v128.or(v0, v1)))) continue;
    const p = weights + o;
    let w0 = v128.load(p), w1 = v128.load(p, 16);
    let row = begin;
    if (lasts(m0, bound1) && lasts(m1, bound1) && lasts(v0, bound2) && lasts(v1, bound2)) {
      for (let s = steps; s > 0; s--) {
        const a = v128.load32_splat(row, 8), k = v128.load32_splat(row, 20);
        m0 = f32x4.mul(b1, m0), m1 = f32x4.mul(b1, m1);
        v0 = f32x4.mul(b2, v0), v1 = f32x4.mul(b2, v1);
        w0 = moved(w0, m0, v0, a, k, e), w1 = moved(w1, m1, v1, a, k, e);
        row += 32;
        if (row == end) row = history;
      }
    } else {
      for (let s = steps; s > 0; s--) {
        const a = v128.load32_splat(row, 8), k = v128.load32_splat(row, 20);
        m0 = faded(m0, b1, LEAST_MOMENT), m1 = faded(m1, b1, LEAST_MOMENT);
        v0 = faded(v0, b2, LEAST_SQUARE), v1 = faded(v1, b2, LEAST_SQUARE);
        w0 = moved(w0, m0, v0, a, k, e), w1 = moved(w1, m1, v1, a, k, e);
        row += 32;
        if (row == end) row = history;
      }
    }
    v128.store(p, w0), v128.store(p, w1, 16);
    v128.store(first + o, m0), v128.store(first + o, m1, 16);
    v128.store(second + o, v0), v128.store(second + o, v1, 16);
  }
  for (; i < n; i += 4) {
    const lanes = min(4, n - i);
    const o = bytes(i);
    let m = loadLanes(first + o, lanes), v = loadLanes(second + o, lanes), w = loadLanes(weights + o, lanes);
    for (let s = from; s <= to; s++) {
      const row = history + 32 * (s % room);
      m = faded(m, b1, LEAST_MOMENT), v = faded(v, b2, LEAST_SQUARE);
      w = moved(w, m, v, v128.load32_splat(row, 8), v128.load32_splat(row, 20), e);
    }
    storeLanes(first + o, m, lanes), storeLanes(second + o, v, lanes), storeLanes(weights + o, w, lanes);
  }
}
