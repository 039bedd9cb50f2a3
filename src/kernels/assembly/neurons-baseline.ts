// Twins of nvil: bits that train with the loss less a baseline that is linear in the probabilities of the row's units. The state holds
// weights[units], mean[1] and variance[1], each padded to the first one's bytes. The roles are called as neurons.ts says.
import { sigmoid4, splat } from './math';
import { scratch } from './scratch';

// @ts-ignore: decorator
@inline
function strideOf(units: i32): usize {
  return ((<usize>units) << 2) + 63 & ~63;
}

/** The probabilities of four units from unit c on; 0 behind the row's end, where a vector may not even be read. */
// @ts-ignore: decorator
@inline
function probabilities(logits: usize, units: i32, c: i32): v128 {
  const o = (<usize>c) << 2;
  const rest = units - c;
  if (rest >= 4) return sigmoid4(v128.load(logits + o));
  let p = f32x4.replace_lane(splat(0), 0, one(logits + o));
  if (rest > 1) p = f32x4.replace_lane(p, 1, one(logits + o + 4));
  if (rest > 2) p = f32x4.replace_lane(p, 2, one(logits + o + 8));
  return p;
}

// @ts-ignore: decorator
@inline
function one(logit: usize): f32 {
  return f32x4.extract_lane(sigmoid4(v128.load32_splat(logit)), 0);
}

/** The weights of four units from unit c on; 0 behind the last. */
// @ts-ignore: decorator
@inline
function weightsFrom(state: usize, units: i32, c: i32): v128 {
  const at = state + ((<usize>c) << 2);
  const rest = units - c;
  if (rest >= 4) return v128.load(at);
  let w = v128.load32_zero(at);
  if (rest > 1) w = f32x4.replace_lane(w, 1, load<f32>(at, 4));
  if (rest > 2) w = f32x4.replace_lane(w, 2, load<f32>(at, 8));
  return w;
}

// @ts-ignore: decorator
@inline
function sumOf(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** out = (h − p)·(f − mean)/max(1, √variance), f = loss − Σ_j weights[j]·p_j; items are rows. */
export function pullbackCentred(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const stride = strideOf(units);
  const mean = load<f32>(state + stride);
  const scale = max<f32>(1, sqrt<f32>(load<f32>(state + 2 * stride)));
  for (let r = begin; r < end; r++) {
    const row = (<usize>(r * units)) << 2;
    let told = splat(0);
    for (let c = 0; c < units; c += 4) {
      const p = probabilities(logits + row, units, c);
      const o = (<usize>c) << 2;
      told = f32x4.add(told, f32x4.mul(weightsFrom(state, units, c), p));
      if (c + 4 <= units) v128.store(out + row + o, f32x4.sub(v128.load(h + row + o), p));
      else for (let i = c; i < units; i++) {
        const at = row + ((<usize>i) << 2);
        store<f32>(out + at, load<f32>(h + at) - one(logits + at));
      }
    }
    const signal = (load<f32>(loss + ((<usize>r) << 2)) - sumOf(told) - mean) / scale;
    let at = out + row;
    let c = 0;
    for (; c + 4 <= units; c += 4, at += 16) v128.store(at, f32x4.mul(v128.load(at), splat(signal)));
    for (; c < units; c++, at += 4) store<f32>(at, load<f32>(at) * signal);
  }
}

/**
 * f as above with the weights as they were; weights += Σ_r p_r·first·(f_r − mean)/rows/(1 + Σ_j p_rj²); then the running averages with decay
 * `second`: of the mean of f, and of its variance. One item. Scratch memory holds f and the steps of all rows.
 */
export function updateCentred(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const stride = strideOf(units);
  const size = (<usize>rows) << 2;
  const mean = load<f32>(state + stride);
  let total: f64 = 0;
  for (let r: usize = 0; r < size; r += 4) {
    const row = logits + r * <usize>units;
    let told = splat(0);
    let squares = splat(0);
    for (let c = 0; c < units; c += 4) {
      const p = probabilities(row, units, c);
      told = f32x4.add(told, f32x4.mul(weightsFrom(state, units, c), p));
      squares = f32x4.add(squares, f32x4.mul(p, p));
    }
    const f = load<f32>(loss + r) - sumOf(told);
    total += f;
    store<f32>(scratch + r, f);
    store<f32>(scratch + size + r, (first * (f - mean)) / <f32>rows / (1 + sumOf(squares)));
  }
  const average = rows == 0 ? 0 : total / rows;
  let variance: f64 = 0;
  for (let r: usize = 0; r < size; r += 4) {
    const off = <f64>load<f32>(scratch + r) - average;
    variance += (off * off) / rows;
    const step = v128.load32_splat(scratch + size + r);
    const row = logits + r * <usize>units;
    let at = state;
    let c = 0;
    for (; c + 4 <= units; c += 4, at += 16) {
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(step, probabilities(row, units, c))));
    }
    for (; c < units; c++, at += 4) {
      store<f32>(at, load<f32>(at) + f32x4.extract_lane(step, 0) * one(row + ((<usize>c) << 2)));
    }
  }
  store<f32>(state + stride, second * mean + (1 - second) * <f32>average);
  store<f32>(state + 2 * stride, second * load<f32>(state + 2 * stride) + (1 - second) * <f32>variance);
}
