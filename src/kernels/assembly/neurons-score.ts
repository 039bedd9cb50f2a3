// The score gradient of bits, and the moving averages of its baselines. The roles are called as neurons.ts says.
import { one4, sigmoid4, splat } from './math';

/** Where the baseline of unit c stands: state holds numerator[units] and then denominator[units], padded alike. */
// @ts-ignore: decorator
@inline
function baseline4(state: usize, units: i32, c: i32): v128 {
  const o = (<usize>c) << 2;
  const denominators = ((<usize>units) << 2) + 63 & ~63;
  return f32x4.div(v128.load(state + o), v128.load(state + denominators + o));
}

/** The first `rest` floats (1 to 3) at p, then zeros: a vector there could run over the end of the allocation. */
// @ts-ignore: decorator
@inline
function loadRest(p: usize, rest: i32): v128 {
  let lanes = v128.load32_zero(p);
  if (rest > 1) lanes = f32x4.replace_lane(lanes, 1, load<f32>(p, 4));
  if (rest > 2) lanes = f32x4.replace_lane(lanes, 2, load<f32>(p, 8));
  return lanes;
}

/** out = (h − σ(a))·(loss[row] − numerator[unit]/denominator[unit]); items are rows. A state of 0 means no baseline. */
export function pullbackScore(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let r = begin; r < end; r++) {
    const cost = v128.load32_splat(loss + ((<usize>r) << 2));
    let o = (<usize>(r * units)) << 2;
    let c = 0;
    for (; c + 4 <= units; c += 4, o += 16) {
      const score = f32x4.sub(v128.load(h + o), sigmoid4(v128.load(logits + o)));
      const advantage = state == 0 ? cost : f32x4.sub(cost, baseline4(state, units, c));
      v128.store(out + o, f32x4.mul(score, advantage));
    }
    const rest = units - c;
    if (rest == 0) continue;
    // The vector runs into the next row, which another thread may be writing: store its own lanes only.
    const score = f32x4.sub(loadRest(h + o, rest), sigmoid4(loadRest(logits + o, rest)));
    const advantage = state == 0 ? cost : f32x4.sub(cost, baseline4(state, units, c));
    const value = f32x4.mul(score, advantage);
    store<f32>(out + o, f32x4.extract_lane(value, 0));
    if (rest > 1) store<f32>(out + o, f32x4.extract_lane(value, 1), 4);
    if (rest > 2) store<f32>(out + o, f32x4.extract_lane(value, 2), 8);
  }
}

/**
 * Moving averages of the score baselines: numerator = decay·numerator + (1−decay)·mean_r w·loss[r] and
 * denominator = decay·denominator + (1−decay)·mean_r w, with w = (h−σ(a))², or w = 1 where the first number is 1; decay is the second.
 * Items are groups of four units.
 */
export function updateScore(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const stride = (<usize>units) << 2;
  const denominators = ((<usize>units) << 2) + 63 & ~63;
  const keep = splat(second);
  const take = splat((1 - second) / <f32>rows);
  for (let group = begin; group < end; group++) {
    let o = (<usize>group) << 4;
    const at = state + o;
    let top = splat(0);
    let bottom = splat(0);
    const rest = units - (group << 2);
    for (let r = 0; r < rows; r++, o += stride) {
      const fired = rest < 4 ? loadRest(h + o, rest) : v128.load(h + o);
      const score = f32x4.sub(fired, sigmoid4(rest < 4 ? loadRest(logits + o, rest) : v128.load(logits + o)));
      const weight = first == 1 ? one4() : f32x4.mul(score, score);
      top = f32x4.add(top, f32x4.mul(weight, v128.load32_splat(loss + ((<usize>r) << 2))));
      bottom = f32x4.add(bottom, weight);
    }
    v128.store(at, f32x4.add(f32x4.mul(keep, v128.load(at)), f32x4.mul(take, top)));
    const below = at + denominators;
    v128.store(below, f32x4.add(f32x4.mul(keep, v128.load(below)), f32x4.mul(take, bottom)));
  }
}
