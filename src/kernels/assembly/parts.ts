// The outputs of parts behind gates on their way to the rows that they belong to, and back. See src/kernels/parts.ts.
import { addLanes, at, bytes, loadLanes, multiplyAdd, storeLanes } from './blocks-rows';

// @ts-ignore: decorator
@inline
function placeOf(rowOf: usize, n: i32): i32 {
  return rowOf ? at(rowOf, n) : n;
}

/** out[rowOf[n], c] += gates[rowOf[n]]·values[n, c]. Items are listed rows. */
export function addGatedRows(
  begin: i32, end: i32, values: usize, gates: usize, rowOf: usize, out: usize, rows: i32, columns: i32, gateStride: i32,
  stride: i32,
): void {
  for (let n = begin; n < end; n++) {
    const row = placeOf(rowOf, n);
    const gate = v128.load32_splat(gates + bytes(gateStride) * row);
    let from = values + bytes(columns) * n, to = out + bytes(stride) * row, c = 0;
    for (; c + 4 <= columns; c += 4, from += 16, to += 16)
      v128.store(to, f32x4.add(v128.load(to), f32x4.mul(gate, v128.load(from))));
    if (c < columns) addLanes(to, f32x4.mul(gate, loadLanes(from, columns - c)), columns - c);
  }
}

/** out[n, c] = gates[rowOf[n]]·dy[rowOf[n], c]. Items are listed rows. */
export function gatedRowsValues(
  begin: i32, end: i32, dy: usize, gates: usize, rowOf: usize, out: usize, rows: i32, columns: i32, gateStride: i32,
  stride: i32,
): void {
  for (let n = begin; n < end; n++) {
    const row = placeOf(rowOf, n);
    const gate = v128.load32_splat(gates + bytes(gateStride) * row);
    let from = dy + bytes(stride) * row, to = out + bytes(columns) * n, c = 0;
    for (; c + 4 <= columns; c += 4, from += 16, to += 16) v128.store(to, f32x4.mul(gate, v128.load(from)));
    if (c < columns) storeLanes(to, f32x4.mul(gate, loadLanes(from, columns - c)), columns - c);
  }
}

/** out[rowOf[n]] = Σ_c values[n, c]·dy[rowOf[n], c], rows of out `gateStride` apart. Items are listed rows. */
export function gatedRowsGates(
  begin: i32, end: i32, values: usize, dy: usize, rowOf: usize, out: usize, rows: i32, columns: i32, gateStride: i32,
  stride: i32,
): void {
  for (let n = begin; n < end; n++) {
    const row = placeOf(rowOf, n);
    let a = values + bytes(columns) * n, b = dy + bytes(stride) * row, c = 0;
    let sum = f32x4.splat(0), sum1 = sum;
    for (; c + 8 <= columns; c += 8, a += 32, b += 32) {
      sum = multiplyAdd(v128.load(a), v128.load(b), sum);
      sum1 = multiplyAdd(v128.load(a, 16), v128.load(b, 16), sum1);
    }
    for (; c < columns; c += 4, a += 16, b += 16) {
      const lanes = min(4, columns - c);
      sum = multiplyAdd(loadLanes(a, lanes), loadLanes(b, lanes), sum);
    }
    sum = f32x4.add(sum, sum1);
    const total = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3);
    store<f32>(out + bytes(gateStride) * row, total);
  }
}
