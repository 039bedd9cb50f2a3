// The recurrence of an LSTM layer; items are sequences. Rows are points in time, sequence after sequence; a row of gates is
// [input | forget | candidate | output], `units` each. What the arrays mean stands in src/kernels/lstm.ts.
import { scratch } from './scratch';
import { sigmoid4, splat, tanh4 } from './math';

@inline
function bytes(elements: i32): usize {
  return (<usize>elements) << 2;
}

@inline
function first(x: v128): f32 {
  return f32x4.extract_lane(x, 0);
}

/** c + a·b: fused where the machine fuses (relaxed SIMD), else rounded twice. */
@inline
function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** h, cells, gates and previous of every sequence, from x = inputs·W + bias. */
export function lstm(
  begin: i32, end: i32, x: usize, recurrent: usize, offsets: usize, gates: usize, cells: usize, h: usize,
  previous: usize, sequences: i32, units: i32, backwards: i32,
): void {
  const wide = 4 * units;
  const step = backwards ? -1 : 1;
  for (let s = begin; s < end; s++) {
    const low = load<i32>(offsets + bytes(s)), points = load<i32>(offsets + bytes(s + 1)) - low;
    let t = backwards ? low + points - 1 : low;
    for (let n = 0; n < points; n++, t += step) {
      const before = previous + bytes(t * units);
      let cBefore: usize = 0;
      if (n == 0) {
        memory.fill(before, 0, bytes(units));
        memory.copy(scratch, x + bytes(t * wide), bytes(wide));
      } else {
        memory.copy(before, h + bytes((t - step) * units), bytes(units));
        addRowTimesMatrix(x + bytes(t * wide), before, recurrent, units, wide);
        cBefore = cells + bytes((t - step) * units);
      }
      moveCells(cBefore, gates + bytes(t * wide), cells + bytes(t * units), h + bytes(t * units), units);
    }
  }
}

/** scratch = base + row·matrix (units × wide), for a `wide` that is a multiple of 4; products are added in the order of units. */
function addRowTimesMatrix(base: usize, row: usize, matrix: usize, units: i32, wide: i32): void {
  const stride = bytes(wide);
  let c = 0;
  for (; c + 32 <= wide; c += 32) {
    const o = bytes(c);
    let s0 = v128.load(base + o), s1 = v128.load(base + o, 16), s2 = v128.load(base + o, 32), s3 = v128.load(base + o, 48);
    let s4 = v128.load(base + o, 64), s5 = v128.load(base + o, 80), s6 = v128.load(base + o, 96), s7 = v128.load(base + o, 112);
    let m = matrix + o;
    for (let k = 0; k < units; k++, m += stride) {
      const a = v128.load32_splat(row + bytes(k));
      s0 = multiplyAdd(a, v128.load(m), s0);
      s1 = multiplyAdd(a, v128.load(m, 16), s1);
      s2 = multiplyAdd(a, v128.load(m, 32), s2);
      s3 = multiplyAdd(a, v128.load(m, 48), s3);
      s4 = multiplyAdd(a, v128.load(m, 64), s4);
      s5 = multiplyAdd(a, v128.load(m, 80), s5);
      s6 = multiplyAdd(a, v128.load(m, 96), s6);
      s7 = multiplyAdd(a, v128.load(m, 112), s7);
    }
    const out = scratch + o;
    v128.store(out, s0), v128.store(out, s1, 16), v128.store(out, s2, 32), v128.store(out, s3, 48);
    v128.store(out, s4, 64), v128.store(out, s5, 80), v128.store(out, s6, 96), v128.store(out, s7, 112);
  }
  for (; c < wide; c += 4) {
    const o = bytes(c);
    let sum = v128.load(base + o);
    let m = matrix + o;
    for (let k = 0; k < units; k++, m += stride) sum = multiplyAdd(v128.load32_splat(row + bytes(k)), v128.load(m), sum);
    v128.store(scratch + o, sum);
  }
}

/** One point in time: gates from what scratch holds, then c and h; `cBefore` is 0 at the first point. */
function moveCells(cBefore: usize, gates: usize, c: usize, h: usize, units: i32): void {
  const block = bytes(units);
  let u = 0;
  for (; u + 4 <= units; u += 4) {
    const at = bytes(u);
    const z = scratch + at;
    const i = sigmoid4(v128.load(z));
    const f = sigmoid4(v128.load(z + block));
    const g = tanh4(v128.load(z + 2 * block));
    const o = sigmoid4(v128.load(z + 3 * block));
    let cell = f32x4.mul(i, g);
    if (cBefore) cell = f32x4.add(cell, f32x4.mul(f, v128.load(cBefore + at)));
    const to = gates + at;
    v128.store(to, i), v128.store(to + block, f), v128.store(to + 2 * block, g), v128.store(to + 3 * block, o);
    v128.store(c + at, cell);
    v128.store(h + at, f32x4.mul(o, tanh4(cell)));
  }
  for (; u < units; u++) {
    const at = bytes(u);
    const z = scratch + at;
    const i = first(sigmoid4(v128.load32_splat(z)));
    const f = first(sigmoid4(v128.load32_splat(z + block)));
    const g = first(tanh4(v128.load32_splat(z + 2 * block)));
    const o = first(sigmoid4(v128.load32_splat(z + 3 * block)));
    let cell: f32 = i * g;
    if (cBefore) cell = cell + f * load<f32>(cBefore + at);
    const to = gates + at;
    store<f32>(to, i), store<f32>(to + block, f), store<f32>(to + 2 * block, g), store<f32>(to + 3 * block, o);
    store<f32>(c + at, cell);
    store<f32>(h + at, o * first(tanh4(splat(cell))));
  }
}

/** dx of every sequence, from dh: back-propagation through time, from the point that was read last. */
export function lstmPullback(
  begin: i32, end: i32, dh: usize, recurrent: usize, offsets: usize, gates: usize, cells: usize, dx: usize,
  sequences: i32, units: i32, backwards: i32,
): void {
  const wide = 4 * units;
  const step = backwards ? -1 : 1;
  // In scratch: the cotangents that come from the point that was read next, of h and of c.
  const dhNext = scratch;
  const dcNext = scratch + ((bytes(units) + 15) & ~15);
  for (let s = begin; s < end; s++) {
    const low = load<i32>(offsets + bytes(s)), points = load<i32>(offsets + bytes(s + 1)) - low;
    memory.fill(dhNext, 0, bytes(units));
    memory.fill(dcNext, 0, bytes(units));
    let t = backwards ? low : low + points - 1;
    for (let n = points - 1; n >= 0; n--, t -= step) {
      const d = dx + bytes(t * wide);
      const cBefore = n == 0 ? 0 : cells + bytes((t - step) * units);
      moveBack(dh + bytes(t * units), dhNext, dcNext, gates + bytes(t * wide), cBefore, cells + bytes(t * units), d, units);
      if (n > 0) for (let k = 0; k < units; k++) store<f32>(dhNext + bytes(k), dot(recurrent + bytes(k * wide), d, wide));
    }
  }
}

/** One point in time of the way back: the cotangents before the gates' non-linearities, and that of the cell before. */
function moveBack(
  dh: usize, dhNext: usize, dcNext: usize, gates: usize, cBefore: usize, c: usize, d: usize, units: i32,
): void {
  const block = bytes(units);
  const one = splat(1);
  let u = 0;
  for (; u + 4 <= units; u += 4) {
    const at = bytes(u);
    const from = gates + at;
    const i = v128.load(from), f = v128.load(from + block), g = v128.load(from + 2 * block), o = v128.load(from + 3 * block);
    const total = f32x4.add(v128.load(dh + at), v128.load(dhNext + at));
    const y = tanh4(v128.load(c + at));
    const slope = f32x4.mul(f32x4.mul(total, o), f32x4.sub(one, f32x4.mul(y, y)));
    const dc = f32x4.add(v128.load(dcNext + at), slope);
    const df = cBefore ? f32x4.mul(dc, v128.load(cBefore + at)) : splat(0);
    const to = d + at;
    v128.store(to, f32x4.mul(f32x4.mul(dc, g), f32x4.mul(i, f32x4.sub(one, i))));
    v128.store(to + block, f32x4.mul(df, f32x4.mul(f, f32x4.sub(one, f))));
    v128.store(to + 2 * block, f32x4.mul(f32x4.mul(dc, i), f32x4.sub(one, f32x4.mul(g, g))));
    v128.store(to + 3 * block, f32x4.mul(f32x4.mul(total, y), f32x4.mul(o, f32x4.sub(one, o))));
    v128.store(dcNext + at, f32x4.mul(dc, f));
  }
  for (; u < units; u++) {
    const at = bytes(u);
    const from = gates + at;
    const i = load<f32>(from), f = load<f32>(from + block), g = load<f32>(from + 2 * block), o = load<f32>(from + 3 * block);
    const total: f32 = load<f32>(dh + at) + load<f32>(dhNext + at);
    const y = first(tanh4(v128.load32_splat(c + at)));
    const dc: f32 = load<f32>(dcNext + at) + total * o * (1 - y * y);
    const df: f32 = cBefore ? dc * load<f32>(cBefore + at) : 0;
    const to = d + at;
    store<f32>(to, dc * g * (i * (1 - i)));
    store<f32>(to + block, df * (f * (1 - f)));
    store<f32>(to + 2 * block, dc * i * (1 - g * g));
    store<f32>(to + 3 * block, total * y * (o * (1 - o)));
    store<f32>(dcNext + at, dc * f);
  }
}

/** Σ x·y of n elements, n a multiple of 4, in a fixed order: four sums of four lanes. */
function dot(x: usize, y: usize, n: i32): f32 {
  let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
  let c = 0;
  for (; c + 16 <= n; c += 16, x += 64, y += 64) {
    s0 = multiplyAdd(v128.load(x), v128.load(y), s0);
    s1 = multiplyAdd(v128.load(x, 16), v128.load(y, 16), s1);
    s2 = multiplyAdd(v128.load(x, 32), v128.load(y, 32), s2);
    s3 = multiplyAdd(v128.load(x, 48), v128.load(y, 48), s3);
  }
  for (; c < n; c += 4, x += 16, y += 16) s0 = multiplyAdd(v128.load(x), v128.load(y), s0);
  const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
}
