import { addOuterProducts, addProducts, addTransposedProducts, bytes, copyRow, ENTRY } from './blocks-tiles';
import { scratch } from './scratch';

const PANEL: i32 = 64;
const LIST: usize = 0;
const LIST_MOST: i32 = 8192;

export function blocksFromDense(
  begin: i32, end: i32, x: usize, weights: usize, bias: usize, values: usize, blockStart: usize, pairRow: usize,
  pairs: i32, blocks: i32, inputs: i32, size: i32,
): void {
  const panels = (size + PANEL - 1) / PANEL;
  for (let item = begin; item < end; item++) {
    const k = item / panels;
    const column = (item % panels) * PANEL;
    const columns = min(PANEL, size - column);
    const stop = load<i32>(blockStart + bytes(k + 1));
    for (let p = load<i32>(blockStart + bytes(k)); p < stop; p += LIST_MOST) {
      const count = min(LIST_MOST, stop - p);
      for (let n = 0; n < count; n++) {
        const row = load<i32>(pairRow + bytes(p + n));
        const to = values + bytes((p + n) * size + column);
        store<u32>(scratch + LIST + ENTRY * n, <u32>(x + bytes(row * inputs)));
        store<u32>(scratch + LIST + ENTRY * n, <u32>to, 4);
        copyRow(to, bias ? bias + bytes(k * size + column) : 0, columns);
      }
      addProducts(scratch + LIST, count, weights + bytes(k * inputs * size + column), bytes(size), inputs, columns);
    }
  }
}

export function blocksFromDenseInputs(
  begin: i32, end: i32, dValues: usize, weights: usize, dx: usize, blockStart: usize, pairRow: usize,
  pairs: i32, rows: i32, blocks: i32, inputs: i32, size: i32,
): void {
  for (let item = begin; item < end; item++) {
    const first = item * PANEL;
    const width = min(PANEL, inputs - first);
    for (let r = 0; r < rows; r++) copyRow(dx + bytes(r * inputs + first), 0, width);
    for (let k = 0; k < blocks; k++) {
      const stop = load<i32>(blockStart + bytes(k + 1));
      for (let p = load<i32>(blockStart + bytes(k)); p < stop; p += LIST_MOST) {
        const count = min(LIST_MOST, stop - p);
        for (let n = 0; n < count; n++) {
          const row = load<i32>(pairRow + bytes(p + n));
          store<u32>(scratch + LIST + ENTRY * n, <u32>(dValues + bytes((p + n) * size)));
          store<u32>(scratch + LIST + ENTRY * n, <u32>(dx + bytes(row * inputs + first)), 4);
        }
        addTransposedProducts(scratch + LIST, count, weights + bytes((k * inputs + first) * size), bytes(size), size, width);
      }
    }
  }
}

const SLAB: i32 = 96;
export function blocksFromDenseWeights(
  begin: i32, end: i32, x: usize, dValues: usize, weights: usize, blockStart: usize, pairRow: usize,
  pairs: i32, blocks: i32, inputs: i32, size: i32, alpha: f32, accumulate: i32,
): void {
  const slabs = (inputs + SLAB - 1) / SLAB;
  for (let item = begin; item < end; item++) {
    const k = item / slabs;
    const first = (item % slabs) * SLAB;
    const height = min(SLAB, inputs - first);
    const w = weights + bytes((k * inputs + first) * size);
    const start = load<i32>(blockStart + bytes(k));
    const stop = load<i32>(blockStart + bytes(k + 1));
    if (start == stop && !accumulate) memory.fill(w, 0, bytes(height * size));
    for (let p = start; p < stop; p += LIST_MOST) {
      const count = min(LIST_MOST, stop - p);
      for (let n = 0; n < count; n++) {
        const row = load<i32>(pairRow + bytes(p + n));
        store<u32>(scratch + LIST + ENTRY * n, <u32>(x + bytes(row * inputs + first)));
        store<u32>(scratch + LIST + ENTRY * n, <u32>(dValues + bytes((p + n) * size)), 4);
      }
      addOuterProducts(scratch + LIST, count, w, bytes(size), height, size, alpha, accumulate != 0 || p > start);
    }
  }
}
