// What all block-sparse kernels share: rows of any width, and lists of rows.
//
// Widths are counted in lanes (Float32 elements); a row may end within a vector, and nothing beyond it is touched.
// A list is an array of entries of two byte pointers, so that rows are read and written where they stand. Both rows of
// an entry belong to one open pair (or to two pairs of one example); what they are is said at each use.
import { scratch } from './scratch';

/** Bytes of an entry. */
export const ENTRY: usize = 8;
/** Most entries of a list; longer ones are done in several runs. */
export const MOST_ENTRIES: i32 = 8192;

// The private scratch memory: a list, packed rows (see blocks-transposed.ts), marks of rows (see blocks-to-blocks.ts).
export const PACKED_ROWS: usize = ENTRY * MOST_ENTRIES;
export const MARKS: usize = PACKED_ROWS + (1 << 16);
/** Rows that may be marked. */
export const MOST_MARKS: i32 = 1 << 17;
/** The gradient of a part of a block's weights (MOST_GRADIENT of src/kernels/blocks-update.ts). */
export const GRADIENT: usize = MARKS + (<usize>MOST_MARKS << 2);

// @ts-ignore: decorator
@inline
export function bytes(elements: i32): usize {
  return (<usize>elements) << 2;
}

/** Element i of an array of whole numbers. */
// @ts-ignore: decorator
@inline
export function at(array: usize, i: i32): i32 {
  return load<i32>(array + bytes(i));
}

/** c + a·b: fused where the machine fuses (relaxed SIMD), else rounded twice. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** The first `lanes` (1 to 4) elements, the rest zeros. */
// @ts-ignore: decorator
@inline
export function loadLanes(from: usize, lanes: i32): v128 {
  if (lanes == 4) return v128.load(from);
  if (lanes == 1) return v128.load32_zero(from);
  const pair = v128.load64_zero(from);
  return lanes == 2 ? pair : v128.load32_lane(from, pair, 2, 8);
}

/** Writes the first `lanes` (1 to 4) elements. */
// @ts-ignore: decorator
@inline
export function storeLanes(to: usize, x: v128, lanes: i32): void {
  if (lanes == 4) v128.store(to, x);
  else if (lanes == 1) v128.store32_lane(to, x, 0);
  else {
    v128.store64_lane(to, x, 0);
    if (lanes == 3) v128.store32_lane(to, x, 2, 8);
  }
}

// @ts-ignore: decorator
@inline
export function addLanes(to: usize, x: v128, lanes: i32): void {
  storeLanes(to, f32x4.add(loadLanes(to, lanes), x), lanes);
}

/** to = from, or zeros where `from` is 0. (V8 calls out of WebAssembly for memory.copy and memory.fill: slow here.) */
export function copyRow(to: usize, from: usize, columns: i32): void {
  if (!from) return clearRow(to, columns);
  let c = 0;
  for (; c + 16 <= columns; c += 16, to += 64, from += 64) {
    const x0 = v128.load(from), x1 = v128.load(from, 16), x2 = v128.load(from, 32), x3 = v128.load(from, 48);
    v128.store(to, x0), v128.store(to, x1, 16), v128.store(to, x2, 32), v128.store(to, x3, 48);
  }
  for (; c < columns; c += 4, to += 16, from += 16) {
    const lanes = min(4, columns - c);
    storeLanes(to, loadLanes(from, lanes), lanes);
  }
}

export function clearRow(to: usize, columns: i32): void {
  const zero = f32x4.splat(0);
  let c = 0;
  for (; c + 16 <= columns; c += 16, to += 64)
    v128.store(to, zero), v128.store(to, zero, 16), v128.store(to, zero, 32), v128.store(to, zero, 48);
  for (; c < columns; c += 4, to += 16) storeLanes(to, zero, min(4, columns - c));
}

// @ts-ignore: decorator
@inline
export function sumOfLanes(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3));
}

/** The sums of the lanes of four vectors, each like sumOfLanes. */
// @ts-ignore: decorator
@inline
export function sumsOfLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<u64>(ab, cd, 0, 2), v128.shuffle<u64>(ab, cd, 1, 3));
}

/** The first row of entry n. */
// @ts-ignore: decorator
@inline
export function first(list: usize, n: i32): usize {
  return <usize>load<u32>(list + ENTRY * n);
}

/** The second row of entry n. */
// @ts-ignore: decorator
@inline
export function second(list: usize, n: i32): usize {
  return <usize>load<u32>(list + ENTRY * n, 4);
}

// @ts-ignore: decorator
@inline
export function setEntry(list: usize, n: i32, first: usize, second: usize): void {
  store<u32>(list + ENTRY * n, <u32>first);
  store<u32>(list + ENTRY * n, <u32>second, 4);
}

/** Lists (row of the example's matrix, row of the compact values) for pairs p to p + count − 1; steps are in bytes. */
export function listMatrixFirst(
  p: i32, count: i32, pairRow: usize, matrix: usize, matrixStep: usize, values: usize, valuesStep: usize,
): void {
  for (let n = 0; n < count; n++)
    setEntry(scratch, n, matrix + matrixStep * at(pairRow, p + n), values + valuesStep * (p + n));
}

/** The same with the two rows exchanged. */
export function listValuesFirst(
  p: i32, count: i32, pairRow: usize, matrix: usize, matrixStep: usize, values: usize, valuesStep: usize,
): void {
  for (let n = 0; n < count; n++)
    setEntry(scratch, n, values + valuesStep * (p + n), matrix + matrixStep * at(pairRow, p + n));
}

// @ts-ignore: decorator
@inline
export function ceilDivide(x: i32, y: i32): i32 {
  return (x + y - 1) / y;
}
