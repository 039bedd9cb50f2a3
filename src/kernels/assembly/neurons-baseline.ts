// Twins of nvil: bits that train with the loss less a baseline that is linear in the input of the layer. The state holds weights[inputs],
// mean[1] and variance[1], each padded to the first one's bytes. The roles are called as neurons.ts says.
import { sigmoid4, splat } from './math';
import { scratch } from './scratch';

// @ts-ignore: decorator
@inline
function strideOf(count: i32): usize {
  return ((<usize>count) << 2) + 63 & ~63;
}

/** Four numbers from number c on; 0 behind the last, where a vector may not even be read. */
// @ts-ignore: decorator
@inline
function four(row: usize, count: i32, c: i32): v128 {
  const at = row + ((<usize>c) << 2);
  const rest = count - c;
  if (rest >= 4) return v128.load(at);
  let x = v128.load32_zero(at);
  if (rest > 1) x = f32x4.replace_lane(x, 1, load<f32>(at, 4));
  if (rest > 2) x = f32x4.replace_lane(x, 2, load<f32>(at, 8));
  return x;
}

// @ts-ignore: decorator
@inline
function probability(logit: usize): f32 {
  return f32x4.extract_lane(sigmoid4(v128.load32_splat(logit)), 0);
}

// @ts-ignore: decorator
@inline
function sumOf(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

// @ts-ignore: decorator
@inline
function dot(x: usize, y: usize, count: i32): f32 {
  let sum = splat(0);
  for (let c = 0; c < count; c += 4) sum = f32x4.add(sum, f32x4.mul(four(x, count, c), four(y, count, c)));
  return sumOf(sum);
}

/** out = (h − p)·(f − mean)/max(1, √variance), f = loss − Σ_j weights[j]·x_j; items are rows. */
export function pullbackCentred(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32, input: usize, inputs: i32,
): void {
  const stride = strideOf(inputs);
  const mean = load<f32>(state + stride);
  const scale = max<f32>(1, sqrt<f32>(load<f32>(state + 2 * stride)));
  for (let r = begin; r < end; r++) {
    const told = dot(state, input + ((<usize>r * <usize>inputs) << 2), inputs);
    const signal = (load<f32>(loss + ((<usize>r) << 2)) - told - mean) / scale;
    let at = (<usize>r * <usize>units) << 2;
    let c = 0;
    for (; c + 4 <= units; c += 4, at += 16) {
      const score = f32x4.sub(v128.load(h + at), sigmoid4(v128.load(logits + at)));
      v128.store(out + at, f32x4.mul(score, splat(signal)));
    }
    for (; c < units; c++, at += 4) store<f32>(out + at, (load<f32>(h + at) - probability(logits + at)) * signal);
  }
}

/**
 * f as above with the weights as they were; weights += Σ_r x_r·first·(f_r − mean)/rows/(1 + Σ_j x_rj²); then the running averages with decay
 * `second`: of the mean of f, and of its variance. One item. Scratch memory holds f and the steps of all rows.
 */
export function updateCentred(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32, input: usize, inputs: i32,
): void {
  const stride = strideOf(inputs);
  const size = (<usize>rows) << 2;
  const mean = load<f32>(state + stride);
  let total: f64 = 0;
  for (let r: usize = 0; r < size; r += 4) {
    const x = input + r * <usize>inputs;
    const f = load<f32>(loss + r) - dot(state, x, inputs);
    total += f;
    store<f32>(scratch + r, f);
    store<f32>(scratch + size + r, (first * (f - mean)) / <f32>rows / (1 + dot(x, x, inputs)));
  }
  const average = rows == 0 ? 0 : total / rows;
  let variance: f64 = 0;
  for (let r: usize = 0; r < size; r += 4) {
    const off = <f64>load<f32>(scratch + r) - average;
    variance += (off * off) / rows;
    const step = v128.load32_splat(scratch + size + r);
    let x = input + r * <usize>inputs;
    let at = state;
    let c = 0;
    for (; c + 4 <= inputs; c += 4, at += 16, x += 16) {
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(step, v128.load(x))));
    }
    for (; c < inputs; c++, at += 4, x += 4) {
      store<f32>(at, load<f32>(at) + f32x4.extract_lane(step, 0) * load<f32>(x));
    }
  }
  store<f32>(state + stride, second * mean + (1 - second) * <f32>average);
  store<f32>(state + 2 * stride, second * load<f32>(state + 2 * stride) + (1 - second) * <f32>variance);
}
