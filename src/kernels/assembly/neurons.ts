// Twins of the neurons of src/neurons, for speed; there the definitions stand that these are tested against.
// fire*(logits, noise, h, rows, units, state, first, second, third),
// pullback*(logits, noise, h, loss, dh, out, rows, units, state, first, second, third) and
// update*(logits, noise, h, loss, rows, units, state, first, second, third): all kernels of a role are called alike; the last three are
// the twin's numbers. Items are vectors of four elements (see elementwise.ts), except where a kernel says that they are rows or columns.
import { exp4, logit4, normalQuantile4, one4, sigmoid4, splat, tanh4 } from './math';

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
