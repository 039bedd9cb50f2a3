// Layer normalisation of rows, and dropout. See src/kernels/normalization.ts.
import { bytes, loadLanes, multiplyAdd, storeLanes } from './blocks-rows';
import { splat } from './math';

// @ts-ignore: decorator
@inline
function total(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3);
}

/** Only the first `lanes`. */
// @ts-ignore: decorator
@inline
function only(x: v128, lanes: i32): v128 {
  return v128.and(x, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(lanes)));
}

/** out = gain·x̂ + bias, and the moments of every row. Items are rows. */
export function layerNorm(
  begin: i32, end: i32, x: usize, gain: usize, bias: usize, out: usize, moments: usize, rows: i32, columns: i32,
  epsilon: f32,
): void {
  for (let r = begin; r < end; r++) {
    const from = x + bytes(columns) * r, to = out + bytes(columns) * r;
    let sum = splat(0);
    for (let c = 0; c < columns; c += 4) sum = f32x4.add(sum, loadLanes(from + bytes(c), min(4, columns - c)));
    const mean: f32 = total(sum) / <f32>columns;
    const means = splat(mean);
    let squares = splat(0);
    for (let c = 0; c < columns; c += 4) {
      const lanes = min(4, columns - c);
      const d = only(f32x4.sub(loadLanes(from + bytes(c), lanes), means), lanes);
      squares = multiplyAdd(d, d, squares);
    }
    const scale: f32 = 1 / sqrt<f32>(total(squares) / <f32>columns + epsilon);
    store<f32>(moments + bytes(2 * r), mean);
    store<f32>(moments + bytes(2 * r), scale, 4);
    const scales = splat(scale);
    for (let c = 0; c < columns; c += 4) {
      const lanes = min(4, columns - c);
      const normal = f32x4.mul(f32x4.sub(loadLanes(from + bytes(c), lanes), means), scales);
      storeLanes(to + bytes(c), multiplyAdd(normal, loadLanes(gain + bytes(c), lanes), loadLanes(bias + bytes(c), lanes)), lanes);
    }
  }
}

/** dx = scale·(g − mean(g) − x̂·mean(g·x̂)). Items are rows. */
export function layerNormInputs(
  begin: i32, end: i32, x: usize, gain: usize, moments: usize, dy: usize, dx: usize, rows: i32, columns: i32,
): void {
  for (let r = begin; r < end; r++) {
    const row = bytes(columns) * r;
    const means = v128.load32_splat(moments + bytes(2 * r)), scales = v128.load32_splat(moments + bytes(2 * r), 4);
    let sum = splat(0), product = splat(0);
    for (let c = 0; c < columns; c += 4) {
      const lanes = min(4, columns - c), o = row + bytes(c);
      const g = f32x4.mul(loadLanes(gain + bytes(c), lanes), loadLanes(dy + o, lanes));
      sum = f32x4.add(sum, g);
      product = multiplyAdd(g, f32x4.mul(f32x4.sub(loadLanes(x + o, lanes), means), scales), product);
    }
    const mean = splat(total(sum) / <f32>columns), slope = splat(total(product) / <f32>columns);
    for (let c = 0; c < columns; c += 4) {
      const lanes = min(4, columns - c), o = row + bytes(c);
      const g = f32x4.mul(loadLanes(gain + bytes(c), lanes), loadLanes(dy + o, lanes));
      const normal = f32x4.mul(f32x4.sub(loadLanes(x + o, lanes), means), scales);
      storeLanes(dx + o, f32x4.mul(scales, f32x4.sub(f32x4.sub(g, mean), f32x4.mul(normal, slope))), lanes);
    }
  }
}

/** out[c] = Σ_r dy·x̂. Items are groups of 16 columns. */
export function layerNormGain(
  begin: i32, end: i32, x: usize, moments: usize, dy: usize, out: usize, rows: i32, columns: i32,
): void {
  for (let group = begin; group < end; group++)
    for (let c = 16 * group; c < min(columns, 16 * group + 16); c += 4) {
      const lanes = min(4, columns - c);
      let sum = splat(0);
      let o = bytes(c);
      for (let r = 0; r < rows; r++, o += bytes(columns)) {
        const means = v128.load32_splat(moments + bytes(2 * r)), scales = v128.load32_splat(moments + bytes(2 * r), 4);
        const normal = f32x4.mul(f32x4.sub(loadLanes(x + o, lanes), means), scales);
        sum = multiplyAdd(loadLanes(dy + o, lanes), normal, sum);
      }
      storeLanes(out + bytes(c), sum, lanes);
    }
}

/** out[i] = u[i] < drop ? 0 : x[i]/(1 − drop). */
export function dropElements(begin: i32, end: i32, x: usize, u: usize, out: usize, n: i32, drop: f32): void {
  const drops = splat(drop), factor = splat(1 / (1 - drop));
  for (let i = begin; i < end; i += 4) {
    const lanes = min(4, end - i), o = bytes(i);
    const kept = v128.andnot(f32x4.mul(loadLanes(x + o, lanes), factor), f32x4.lt(loadLanes(u + o, lanes), drops));
    storeLanes(out + o, kept, lanes);
  }
}
