// Twins of the neurons of src/neurons, for speed; there the definitions stand that these are tested against.
// fire*(logits, noise, h, rows, units, state, first, second, third),
// pullback*(logits, noise, h, loss, dh, out, rows, units, state, first, second, third) and
// update*(logits, noise, h, loss, rows, units, state, first, second, third): all kernels of a role are called alike; the last three are
// the twin's numbers. Items are vectors of four elements (see elementwise.ts), except where a kernel says that they are rows or columns.
import { exp4, half4, logit4, normalCdf4, normalQuantile4, one4, sigmoid4, sigmoidSlope4, splat, tanh4, two4 } from './math';

/** h, or NaN where a logit is NaN or infinite: a − a is 0 else. What has broken must not end as a closed or an open unit. */
// @ts-ignore: decorator
@inline
function seen(h: v128, a: v128): v128 {
  return f32x4.add(h, f32x4.sub(a, a));
}

/** h = 1[u < σ(a)] */
export function fireBernoulli(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    const fired = v128.and(f32x4.lt(v128.load(noise + o), sigmoid4(a)), one4());
    v128.store(h + o, seen(fired, a));
  }
}

/** h = √p·1[u < √p], or where the first number is 1 √p·1[u < p] */
export function fireStochasticTimesSmooth(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    const p = sigmoid4(a);
    const root = f32x4.sqrt(p);
    const open = f32x4.lt(v128.load(noise + o), first == 1 ? p : root);
    v128.store(h + o, seen(v128.and(open, root), a));
  }
}

/** h = max(0, a + s·z), z standard normal */
export function fireNoisyRectifierGaussian(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const s = splat(first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    const z = f32x4.mul(s, normalQuantile4(v128.load(noise + o)));
    v128.store(h + o, seen(f32x4.pmax(f32x4.add(a, z), splat(0)), a));
  }
}

/** h = max(0, a + s·z), z standard logistic */
export function fireNoisyRectifierLogistic(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const s = splat(first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    const z = f32x4.mul(s, logit4(v128.load(noise + o)));
    v128.store(h + o, seen(f32x4.pmax(f32x4.add(a, z), splat(0)), a));
  }
}

/** h = σ(a + s·z), z standard normal */
export function fireNoisySigmoid(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const s = splat(first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(h + o, f32x4.mul(s, normalQuantile4(v128.load(noise + o))));
  }
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    v128.store(h + o, seen(sigmoid4(f32x4.add(a, v128.load(h + o))), a));
  }
}

/** h = σ(a) */
export function fireSigmoid(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    v128.store(h + o, seen(sigmoid4(a), a));
  }
}

/** h = tanh a */
export function fireTanh(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    v128.store(h + o, seen(tanh4(a), a));
  }
}

/** h = max(0, a) */
export function fireRectifier(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    v128.store(h + o, seen(f32x4.pmax(a, splat(0)), a));
  }
}

/** h = σ((a − log(u/(1−u)))/τ), τ the first number */
export function fireConcrete(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(h + o, logit4(v128.load(noise + o)));
  }
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    v128.store(h + o, seen(sigmoid4(f32x4.mul(inverse, f32x4.sub(a, v128.load(h + o)))), a));
  }
}

/** h = 1[u < σ(s·a)], s the first number of the state */
export function fireSteepBernoulli(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const s = v128.load32_splat(state);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    const fired = v128.and(f32x4.lt(v128.load(noise + o), sigmoid4(f32x4.mul(s, a))), one4());
    v128.store(h + o, seen(fired, a));
  }
}

/** h = clip(s·(ζ − γ) + γ) to [0, 1], s = σ((a + log(u/(1−u)))/β); β, γ, ζ the numbers */
export function fireHardConcrete(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    const s = sigmoid4(f32x4.mul(inverse, f32x4.add(a, logit4(v128.load(noise + o)))));
    v128.store(h + o, seen(stretched(s, second, third), a));
  }
}

/** h = clip(σ(a)·(ζ − γ) + γ) to [0, 1]; γ and ζ the last two numbers */
export function fireStretchedSigmoid(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    v128.store(h + o, seen(stretched(sigmoid4(a), second, third), a));
  }
}

// @ts-ignore: decorator
@inline
function stretched(s: v128, gamma: f32, zeta: f32): v128 {
  const x = f32x4.add(f32x4.mul(s, splat(zeta - gamma)), splat(gamma));
  return f32x4.pmin(f32x4.pmax(x, splat(0)), one4());
}

/** h = p + √(p(1−p)/m)·z, z standard normal; m the first number */
export function fireGaussianMatched(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    const e = exp4(f32x4.neg(f32x4.abs(a)));
    const likely = f32x4.div(one4(), f32x4.add(one4(), e));
    const rare = f32x4.mul(e, likely);
    const s = f32x4.sqrt(f32x4.mul(f32x4.mul(rare, likely), inverse));
    const noisy = f32x4.mul(s, normalQuantile4(v128.load(noise + o)));
    v128.store(h + o, seen(f32x4.add(v128.bitselect(rare, likely, f32x4.lt(a, splat(0))), noisy), a));
  }
}

/** out = dh */
export function pullbackIdentity(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) v128.store(out + o, v128.load(dh + o));
}

/** out = dh·p(1−p), p = σ(a) */
export function pullbackLogistic(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, f32x4.mul(v128.load(dh + o), sigmoidSlope4(v128.load(logits + o))));
  }
}

/** out = dh·½·h·(1−p) */
export function pullbackStochasticTimesSmooth(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const q = sigmoid4(f32x4.neg(v128.load(logits + o)));
    const slope = f32x4.mul(f32x4.mul(half4(), v128.load(h + o)), q);
    v128.store(out + o, f32x4.mul(v128.load(dh + o), slope));
  }
}

/** out = dh·1[h > 0] */
export function pullbackRectifier(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, v128.and(v128.load(dh + o), f32x4.gt(v128.load(h + o), splat(0))));
  }
}

/** out = dh·h(1−h) */
export function pullbackSigmoid(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const y = v128.load(h + o);
    v128.store(out + o, f32x4.mul(v128.load(dh + o), f32x4.mul(y, f32x4.sub(one4(), y))));
  }
}

/** out = dh·(1−h²) */
export function pullbackTanh(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const y = v128.load(h + o);
    v128.store(out + o, f32x4.mul(v128.load(dh + o), f32x4.sub(one4(), f32x4.mul(y, y))));
  }
}

/** out = dh·h(1−h)/τ, τ the first number */
export function pullbackConcrete(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const s = v128.load(h + o);
    const slope = f32x4.mul(inverse, f32x4.mul(s, f32x4.sub(one4(), s)));
    v128.store(out + o, f32x4.mul(v128.load(dh + o), slope));
  }
}

/** out = dh·s(1−s)/τ, s = σ((a − log(u/(1−u)))/τ), τ the first number */
export function pullbackStraightThroughGumbel(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, logit4(v128.load(noise + o)));
  }
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const relaxed = f32x4.mul(inverse, f32x4.sub(v128.load(logits + o), v128.load(out + o)));
    v128.store(out + o, f32x4.mul(v128.load(dh + o), f32x4.mul(inverse, sigmoidSlope4(relaxed))));
  }
}

/** out = dh·½(r(2−r) − p(1−p)), r = σ((1−2h)·a/τ), τ the first number */
export function pullbackReinmax(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o), fired = v128.load(h + o);
    const away = f32x4.sub(one4(), f32x4.add(fired, fired));
    const r = sigmoid4(f32x4.mul(f32x4.mul(away, a), inverse));
    const slope = f32x4.sub(f32x4.mul(r, f32x4.sub(two4(), r)), sigmoidSlope4(a));
    v128.store(out + o, f32x4.mul(v128.load(dh + o), f32x4.mul(half4(), slope)));
  }
}

/** out = dh·1[|a| ≤ c], c the first number */
export function pullbackClipped(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const c = splat(first);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    v128.store(out + o, v128.and(v128.load(dh + o), f32x4.le(f32x4.abs(v128.load(logits + o)), c)));
  }
}

/** out = dh·σ'(d/τ)/τ, d the larger of (2h−1)·a and a gap; τ and the gap the first two numbers */
export function pullbackGapped(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / first);
  const gap = splat(second);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const fired = v128.load(h + o);
    const sign = f32x4.sub(f32x4.add(fired, fired), one4());
    const d = f32x4.pmax(f32x4.mul(sign, v128.load(logits + o)), gap);
    const slope = f32x4.mul(inverse, sigmoidSlope4(f32x4.mul(d, inverse)));
    v128.store(out + o, f32x4.mul(v128.load(dh + o), slope));
  }
}

/** out = dh·s·σ'(s·a), s the first number of the state */
export function pullbackSteep(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const s = v128.load32_splat(state);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const slope = f32x4.mul(s, sigmoidSlope4(f32x4.mul(s, v128.load(logits + o))));
    v128.store(out + o, f32x4.mul(v128.load(dh + o), slope));
  }
}

/** out = dh·(h − γ)(ζ − h)/((ζ − γ)β) where 0 < h < 1, else 0; β, γ, ζ the numbers */
export function pullbackHardConcrete(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const inverse = splat(1 / ((third - second) * first));
  const zero = splat(0);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const y = v128.load(h + o);
    const slope = f32x4.mul(f32x4.mul(f32x4.sub(y, splat(second)), f32x4.sub(splat(third), y)), inverse);
    const inside = v128.and(f32x4.gt(y, zero), f32x4.lt(y, one4()));
    v128.store(out + o, f32x4.mul(v128.load(dh + o), v128.and(slope, inside)));
  }
}

/** out = dh·(p(1−p) + (h − p)(½ − p)), p = σ(a) */
export function pullbackGaussianMatched(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const a = v128.load(logits + o);
    const e = exp4(f32x4.neg(f32x4.abs(a)));
    const likely = f32x4.div(one4(), f32x4.add(one4(), e));
    const rare = f32x4.mul(e, likely);
    const p = v128.bitselect(rare, likely, f32x4.lt(a, splat(0)));
    const through = f32x4.mul(f32x4.sub(v128.load(h + o), p), f32x4.sub(half4(), p));
    v128.store(out + o, f32x4.mul(v128.load(dh + o), f32x4.add(f32x4.mul(rare, likely), through)));
  }
}

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
