// Self-attention; items are heads of sequences. Tiles are four queries by eight keys or columns. See src/kernels/attention.ts.
//
// The private scratch memory: keys and values of a head transposed (size × padded points each), then eight rows of padded points: the
// probabilities of four queries and their gradients.
import { at, bytes, loadLanes, multiplyAdd, storeLanes } from './blocks-rows';
import { exp4, log4, splat } from './math';
import { scratch } from './scratch';

// @ts-ignore: decorator
@inline
function total(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3);
}

/** to[c, t] = from[t, c], zeros from `points` to `padded`. */
function turn(from: usize, step: usize, points: i32, padded: i32, size: i32, to: usize): void {
  const column = bytes(padded);
  for (let t = 0; t < points; t++, from += step)
    for (let c = 0, o = to + bytes(t); c < size; c++, o += column) store<f32>(o, load<f32>(from + bytes(c)));
  for (let t = points; t < padded; t++)
    for (let c = 0, o = to + bytes(t); c < size; c++, o += column) store<f32>(o, 0);
}

/** out[i, j] = ⟨a_i, b_j⟩ for four rows of a (the last one again where there are fewer) and j < end, a multiple of 8; b stands turned. */
function products(a: usize, step: usize, rows: i32, turned: usize, padded: i32, size: i32, end: i32, out: usize): void {
  const a1 = rows > 1 ? a + step : a, a2 = rows > 2 ? a + 2 * step : a, a3 = rows > 3 ? a + 3 * step : a;
  const column = bytes(padded);
  for (let j = 0; j < end; j += 8) {
    let s00 = splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let b = turned + bytes(j);
    for (let c = 0, o: usize = 0; c < size; c++, o += 4, b += column) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const x0 = v128.load32_splat(a + o), x1 = v128.load32_splat(a1 + o);
      s00 = multiplyAdd(x0, b0, s00), s01 = multiplyAdd(x0, b1, s01);
      s10 = multiplyAdd(x1, b0, s10), s11 = multiplyAdd(x1, b1, s11);
      const x2 = v128.load32_splat(a2 + o), x3 = v128.load32_splat(a3 + o);
      s20 = multiplyAdd(x2, b0, s20), s21 = multiplyAdd(x2, b1, s21);
      s30 = multiplyAdd(x3, b0, s30), s31 = multiplyAdd(x3, b1, s31);
    }
    let to = out + bytes(j);
    v128.store(to, s00), v128.store(to, s01, 16);
    to += column;
    v128.store(to, s10), v128.store(to, s11, 16);
    to += column;
    v128.store(to, s20), v128.store(to, s21, 16);
    to += column;
    v128.store(to, s30), v128.store(to, s31, 16);
  }
}

/** y_i[c] = Σ_{j < n} weights[i, j]·b_j[c] for `rows` (1 to 4) rows. */
function mixtures(
  weights: usize, padded: i32, n: i32, b: usize, bStep: usize, size: i32, y: usize, yStep: usize, rows: i32,
): void {
  const w1 = weights + bytes(padded), w2 = w1 + bytes(padded), w3 = w2 + bytes(padded);
  let c = 0;
  for (; c + 8 <= size; c += 8) {
    let s00 = splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let from = b + bytes(c);
    for (let j = 0, o: usize = 0; j < n; j++, o += 4, from += bStep) {
      const b0 = v128.load(from), b1 = v128.load(from, 16);
      const x0 = v128.load32_splat(weights + o), x1 = v128.load32_splat(w1 + o);
      s00 = multiplyAdd(x0, b0, s00), s01 = multiplyAdd(x0, b1, s01);
      s10 = multiplyAdd(x1, b0, s10), s11 = multiplyAdd(x1, b1, s11);
      const x2 = v128.load32_splat(w2 + o), x3 = v128.load32_splat(w3 + o);
      s20 = multiplyAdd(x2, b0, s20), s21 = multiplyAdd(x2, b1, s21);
      s30 = multiplyAdd(x3, b0, s30), s31 = multiplyAdd(x3, b1, s31);
    }
    let to = y + bytes(c);
    v128.store(to, s00), v128.store(to, s01, 16);
    if (rows > 1) v128.store(to + yStep, s10), v128.store(to + yStep, s11, 16);
    if (rows > 2) v128.store(to + 2 * yStep, s20), v128.store(to + 2 * yStep, s21, 16);
    if (rows > 3) v128.store(to + 3 * yStep, s30), v128.store(to + 3 * yStep, s31, 16);
  }
  for (; c < size; c += 4) {
    const lanes = min(4, size - c);
    let s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
    let from = b + bytes(c);
    for (let j = 0, o: usize = 0; j < n; j++, o += 4, from += bStep) {
      const b0 = loadLanes(from, lanes);
      s0 = multiplyAdd(v128.load32_splat(weights + o), b0, s0);
      s1 = multiplyAdd(v128.load32_splat(w1 + o), b0, s1);
      s2 = multiplyAdd(v128.load32_splat(w2 + o), b0, s2);
      s3 = multiplyAdd(v128.load32_splat(w3 + o), b0, s3);
    }
    const to = y + bytes(c);
    storeLanes(to, s0, lanes);
    if (rows > 1) storeLanes(to + yStep, s1, lanes);
    if (rows > 2) storeLanes(to + 2 * yStep, s2, lanes);
    if (rows > 3) storeLanes(to + 3 * yStep, s3, lanes);
  }
}

/** y_j[c] += Σ_i weights[i, j]·a_i[c] for j < n; rows of weights beyond `rows` are zeros. */
function spread(
  weights: usize, padded: i32, n: i32, a: usize, aStep: usize, rows: i32, size: i32, y: usize, yStep: usize,
): void {
  const w1 = weights + bytes(padded), w2 = w1 + bytes(padded), w3 = w2 + bytes(padded);
  const a1 = rows > 1 ? a + aStep : a, a2 = rows > 2 ? a + 2 * aStep : a, a3 = rows > 3 ? a + 3 * aStep : a;
  let c = 0;
  for (; c + 8 <= size; c += 8) {
    const o8 = bytes(c);
    const x00 = v128.load(a + o8), x01 = v128.load(a + o8, 16), x10 = v128.load(a1 + o8), x11 = v128.load(a1 + o8, 16);
    const x20 = v128.load(a2 + o8), x21 = v128.load(a2 + o8, 16), x30 = v128.load(a3 + o8), x31 = v128.load(a3 + o8, 16);
    let to = y + o8;
    for (let j = 0, o: usize = 0; j < n; j++, o += 4, to += yStep) {
      let s0 = v128.load(to), s1 = v128.load(to, 16);
      let w = v128.load32_splat(weights + o);
      s0 = multiplyAdd(w, x00, s0), s1 = multiplyAdd(w, x01, s1);
      w = v128.load32_splat(w1 + o);
      s0 = multiplyAdd(w, x10, s0), s1 = multiplyAdd(w, x11, s1);
      w = v128.load32_splat(w2 + o);
      s0 = multiplyAdd(w, x20, s0), s1 = multiplyAdd(w, x21, s1);
      w = v128.load32_splat(w3 + o);
      s0 = multiplyAdd(w, x30, s0), s1 = multiplyAdd(w, x31, s1);
      v128.store(to, s0), v128.store(to, s1, 16);
    }
  }
  for (; c < size; c += 4) {
    const lanes = min(4, size - c);
    const x0 = loadLanes(a + bytes(c), lanes), x1 = loadLanes(a1 + bytes(c), lanes);
    const x2 = loadLanes(a2 + bytes(c), lanes), x3 = loadLanes(a3 + bytes(c), lanes);
    let to = y + bytes(c);
    for (let j = 0, o: usize = 0; j < n; j++, o += 4, to += yStep) {
      let s = multiplyAdd(v128.load32_splat(weights + o), x0, loadLanes(to, lanes));
      s = multiplyAdd(v128.load32_splat(w1 + o), x1, s);
      s = multiplyAdd(v128.load32_splat(w2 + o), x2, s);
      s = multiplyAdd(v128.load32_splat(w3 + o), x3, s);
      storeLanes(to, s, lanes);
    }
  }
}

/** e^(scale·s − shift) for j < n, zeros from there to `end`; under 1e-26 it is 0, as elsewhere. @returns the sum */
// @ts-ignore: decorator
@inline
function exponentials(s: usize, n: i32, end: i32, scale: f32, shift: f32): f32 {
  const scales = splat(scale), shifts = splat(shift), least = splat(-60);
  let sum = splat(0);
  for (let j = n; j < end; j++) store<f32>(s + bytes(j), -Infinity);
  for (let j = 0; j < end; j += 4) {
    const below = f32x4.sub(f32x4.mul(v128.load(s + bytes(j)), scales), shifts);
    const e = v128.andnot(exp4(below), f32x4.lt(below, least));
    v128.store(s + bytes(j), e);
    sum = f32x4.add(sum, e);
  }
  return total(sum);
}

/** y and logSums. */
export function attention(
  begin: i32, end: i32, x: usize, offsets: usize, y: usize, logSums: usize, sequences: i32, heads: i32, size: i32,
  causal: i32, scale: f32,
): void {
  const width = heads * size;
  const step = bytes(3 * width), yStep = bytes(width);
  for (let item = begin; item < end; item++) {
    const first = at(offsets, item / heads), points = at(offsets, item / heads + 1) - first;
    const head = item % heads;
    const padded = (points + 7) & ~7;
    const keys = scratch, p = keys + bytes(size * padded);
    const queries = x + step * first + bytes(head * size);
    const values = queries + bytes(2 * width);
    turn(queries + bytes(width), step, points, padded, size, keys);
    for (let i = 0; i < points; i += 4) {
      const rows = min(4, points - i);
      const seen = causal ? i + rows : points;
      const wide = (seen + 7) & ~7;
      products(queries + step * i, step, rows, keys, padded, size, wide, p);
      for (let r = 0; r < rows; r++) {
        const s = p + bytes(padded) * r;
        const n = causal ? i + r + 1 : points;
        let largest: f32 = load<f32>(s);
        for (let j = 1; j < n; j++) largest = max<f32>(largest, load<f32>(s + bytes(j)));
        const shift = largest * scale;
        const sum = exponentials(s, n, wide, scale, shift);
        store<f32>(logSums + bytes((first + i + r) * heads + head), shift + f32x4.extract_lane(log4(splat(sum)), 0));
        const share = splat(1 / sum);
        for (let j = 0; j < wide; j += 4) v128.store(s + bytes(j), f32x4.mul(v128.load(s + bytes(j)), share));
      }
      mixtures(p, padded, seen, values, step, size, y + yStep * (first + i) + bytes(head * size), yStep, rows);
    }
  }
}

/** dx, from y, logSums and dy. */
export function attentionPullback(
  begin: i32, end: i32, x: usize, offsets: usize, y: usize, logSums: usize, dy: usize, dx: usize, sequences: i32,
  heads: i32, size: i32, causal: i32, scale: f32,
): void {
  const width = heads * size;
  const step = bytes(3 * width), yStep = bytes(width);
  for (let item = begin; item < end; item++) {
    const first = at(offsets, item / heads), points = at(offsets, item / heads + 1) - first;
    const head = item % heads;
    const padded = (points + 7) & ~7;
    const keysTurned = scratch, valuesTurned = keysTurned + bytes(size * padded);
    const p = valuesTurned + bytes(size * padded), ds = p + bytes(4 * padded);
    const corner = step * first + bytes(head * size);
    const queries = x + corner, keys = queries + bytes(width), values = keys + bytes(width);
    const dQueries = dx + corner, dKeys = dQueries + bytes(width), dValues = dKeys + bytes(width);
    turn(keys, step, points, padded, size, keysTurned);
    turn(values, step, points, padded, size, valuesTurned);
    for (let t = 0; t < points; t++)
      for (let c = 0; c < size; c += 4) {
        const lanes = min(4, size - c);
        storeLanes(dKeys + step * t + bytes(c), splat(0), lanes);
        storeLanes(dValues + step * t + bytes(c), splat(0), lanes);
      }
    for (let i = 0; i < points; i += 4) {
      const rows = min(4, points - i);
      const seen = causal ? i + rows : points;
      const wide = (seen + 7) & ~7;
      const above = dy + yStep * (first + i) + bytes(head * size);
      const own = y + yStep * (first + i) + bytes(head * size);
      products(queries + step * i, step, rows, keysTurned, padded, size, wide, p);
      products(above, yStep, rows, valuesTurned, padded, size, wide, ds);
      for (let r = 0; r < 4; r++) {
        const s = p + bytes(padded) * r, d = ds + bytes(padded) * r;
        if (r >= rows) {
          for (let j = 0; j < wide; j += 4) v128.store(s + bytes(j), splat(0)), v128.store(d + bytes(j), splat(0));
          continue;
        }
        let mean = splat(0);
        for (let c = 0; c < size; c += 4) {
          const lanes = min(4, size - c);
          mean = multiplyAdd(loadLanes(above + yStep * r + bytes(c), lanes), loadLanes(own + yStep * r + bytes(c), lanes), mean);
        }
        const means = splat(total(mean)), scales = splat(scale);
        exponentials(s, causal ? i + r + 1 : points, wide, scale, load<f32>(logSums + bytes((first + i + r) * heads + head)));
        for (let j = 0; j < wide; j += 4) {
          const slope = f32x4.mul(f32x4.sub(v128.load(d + bytes(j)), means), scales);
          v128.store(d + bytes(j), f32x4.mul(v128.load(s + bytes(j)), slope));
        }
      }
      mixtures(ds, padded, seen, keys, step, size, dQueries + step * i, step, rows);
      spread(ds, padded, seen, queries + step * i, step, rows, size, dKeys, step);
      spread(p, padded, seen, above, yStep, rows, size, dValues, step);
    }
  }
}

/** Pairs rotated by their position's angles. Items are rows. */
export function rotatePairs(
  begin: i32, end: i32, x: usize, angles: usize, positionOf: usize, out: usize, rows: i32, columns: i32,
  rotated: i32, size: i32, backwards: i32,
): void {
  const sign: f32 = backwards ? -1 : 1;
  const signs = f32x4(-sign, sign, -sign, sign);
  for (let r = begin; r < end; r++) {
    const from = x + bytes(columns) * r, to = out + bytes(columns) * r;
    const own = angles + bytes(2 * size) * at(positionOf, r);
    for (let group = 0; group < rotated; group += size)
      for (let c = 0; c < size; c += 4) {
        const lanes = min(4, size - c), o = bytes(group + c);
        const value = loadLanes(from + o, lanes);
        const other = v128.shuffle<f32>(value, value, 1, 0, 3, 2);
        const sines = f32x4.mul(loadLanes(own + bytes(size + c), lanes), signs);
        storeLanes(to + o, f32x4.add(f32x4.mul(value, loadLanes(own + bytes(c), lanes)), f32x4.mul(other, sines)), lanes);
      }
    for (let c = rotated; c < columns; c += 4) {
      const lanes = min(4, columns - c);
      storeLanes(to + bytes(c), loadLanes(from + bytes(c), lanes), lanes);
    }
  }
}
