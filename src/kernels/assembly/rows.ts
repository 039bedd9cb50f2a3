// Kernels over row-major matrices: rows × columns.
import { exp4, log4, splat } from './math';

/** out[r, c] = x[r, c] + bias[c]; items are rows. */
export function addBias(begin: i32, end: i32, x: usize, bias: usize, out: usize, rows: i32, columns: i32): void {
  for (let r = begin; r < end; r++) {
    const from = x + ((<usize>(r * columns)) << 2);
    const to = out + ((<usize>(r * columns)) << 2);
    let c = 0;
    for (; c + 4 <= columns; c += 4) {
      const o = (<usize>c) << 2;
      v128.store(to + o, f32x4.add(v128.load(from + o), v128.load(bias + o)));
    }
    for (; c < columns; c++) {
      const o = (<usize>c) << 2;
      store<f32>(to + o, load<f32>(from + o) + load<f32>(bias + o));
    }
  }
}

/** out[r, c] = row[c], rows of out `stride` elements apart; items are rows. */
export function fillRows(begin: i32, end: i32, row: usize, out: usize, rows: i32, columns: i32, stride: i32): void {
  for (let r = begin; r < end; r++) memory.copy(out + ((<usize>(r * stride)) << 2), row, (<usize>columns) << 2);
}

/** out[c] = Σ_r x[r, c], rows added in order; items are groups of 16 columns. */
export function columnSums(begin: i32, end: i32, x: usize, out: usize, rows: i32, columns: i32): void {
  const stride = (<usize>columns) << 2;
  for (let group = begin; group < end; group++) {
    const first = group * 16;
    if (first + 16 <= columns) {
      let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
      let p = x + ((<usize>first) << 2);
      for (let r = 0; r < rows; r++, p += stride) {
        s0 = f32x4.add(s0, v128.load(p));
        s1 = f32x4.add(s1, v128.load(p, 16));
        s2 = f32x4.add(s2, v128.load(p, 32));
        s3 = f32x4.add(s3, v128.load(p, 48));
      }
      const o = out + ((<usize>first) << 2);
      v128.store(o, s0);
      v128.store(o, s1, 16);
      v128.store(o, s2, 32);
      v128.store(o, s3, 48);
    } else {
      for (let c = first; c < columns; c++) {
        let sum: f32 = 0;
        let p = x + ((<usize>c) << 2);
        for (let r = 0; r < rows; r++, p += stride) sum += load<f32>(p);
        store<f32>(out + ((<usize>c) << 2), sum);
      }
    }
  }
}

/** out[c] = Σ_r weights[r]·[x[r, c] ≠ 0], rows added in order, one each where weights is 0; items are groups of 16 columns. */
export function countNonzero(begin: i32, end: i32, x: usize, weights: usize, out: usize, rows: i32, columns: i32): void {
  const stride = (<usize>columns) << 2;
  const zero = splat(0);
  for (let group = begin; group < end; group++) {
    const first = group * 16;
    let p = x + ((<usize>first) << 2);
    const o = out + ((<usize>first) << 2);
    if (first + 16 <= columns) {
      let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
      for (let r = 0; r < rows; r++, p += stride) {
        const weight = weights ? v128.load32_splat(weights + ((<usize>r) << 2)) : splat(1);
        s0 = f32x4.add(s0, v128.and(weight, f32x4.ne(v128.load(p), zero)));
        s1 = f32x4.add(s1, v128.and(weight, f32x4.ne(v128.load(p, 16), zero)));
        s2 = f32x4.add(s2, v128.and(weight, f32x4.ne(v128.load(p, 32), zero)));
        s3 = f32x4.add(s3, v128.and(weight, f32x4.ne(v128.load(p, 48), zero)));
      }
      v128.store(o, s0);
      v128.store(o, s1, 16);
      v128.store(o, s2, 32);
      v128.store(o, s3, 48);
    } else {
      const rest = (<usize>(columns - first)) << 2;
      memory.fill(o, 0, rest);
      for (let r = 0; r < rows; r++, p += stride) {
        const weight: f32 = weights ? load<f32>(weights + ((<usize>r) << 2)) : 1;
        for (let c: usize = 0; c < rest; c += 4) if (load<f32>(p + c) != 0) store<f32>(o + c, load<f32>(o + c) + weight);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(splat(x)), 0);
}

/** probabilities = softmax(logits); losses[r] = −log probabilities[r, label[r]]; items are rows. */
export function softmaxCrossEntropy(
  begin: i32, end: i32, logits: usize, labels: usize, losses: usize, probabilities: usize, rows: i32, columns: i32,
): void {
  for (let r = begin; r < end; r++) {
    const from = logits + ((<usize>(r * columns)) << 2);
    const to = probabilities + ((<usize>(r * columns)) << 2);
    let largest = load<f32>(from);
    let finite: f32 = 0; // NaN as soon as one logit is NaN or +∞; a class of −∞ is masked
    for (let c = 0; c < columns; c++) {
      const x = load<f32>(from + ((<usize>c) << 2));
      if (x != -Infinity) finite += x - x;
      if (x > largest) largest = x;
    }
    let sum: f32 = 0;
    for (let c = 0; c < columns; c++) {
      const below = load<f32>(from + ((<usize>c) << 2)) - largest;
      // Probabilities under 1e-26 are 0: their gradients would be denormal numbers, which slow the products that they enter by several times.
      const e: f32 = below < -60 ? 0 : exp1(below);
      store<f32>(to + ((<usize>c) << 2), e);
      sum += e;
    }
    const inverse: f32 = 1 / sum;
    for (let c = 0; c < columns; c++) {
      const o = to + ((<usize>c) << 2);
      store<f32>(o, load<f32>(o) * inverse);
    }
    const label = load<i32>(labels + ((<usize>r) << 2));
    const own = load<f32>(from + ((<usize>label) << 2));
    const logSum = f32x4.extract_lane(log4(splat(sum)), 0);
    store<f32>(losses + ((<usize>r) << 2), logSum - (own - largest) + finite);
  }
}

/** out[r, c] = (probabilities[r, c] − [c = label[r]])·cotangent[r]; items are rows. */
export function softmaxCrossEntropyPullback(
  begin: i32, end: i32, probabilities: usize, labels: usize, cotangent: usize, out: usize, rows: i32, columns: i32,
): void {
  for (let r = begin; r < end; r++) {
    const from = probabilities + ((<usize>(r * columns)) << 2);
    const to = out + ((<usize>(r * columns)) << 2);
    const weight = load<f32>(cotangent + ((<usize>r) << 2));
    const label = load<i32>(labels + ((<usize>r) << 2));
    for (let c = 0; c < columns; c++) {
      const o = (<usize>c) << 2;
      const target: f32 = c == label ? 1 : 0;
      store<f32>(to + o, (load<f32>(from + o) - target) * weight);
    }
  }
}
