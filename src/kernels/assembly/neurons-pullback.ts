// Pullbacks of the neurons of neurons.ts that read cotangents. Items are vectors of four elements; the roles are called as neurons.ts says.
import { exp4, half4, logit4, one4, sigmoid4, sigmoidSlope4, splat, two4 } from './math';

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
