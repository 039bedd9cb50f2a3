// Listed rows gathered side by side, transposed, and added back. See src/kernels/gathering.ts.
import { addLanes, at, bytes, copyRow, loadLanes, storeLanes } from './blocks-rows';

/** out[n, c] = x[rowOf[n], c]. Items are listed rows. */
export function gatherRows(
  begin: i32, end: i32, x: usize, rowOf: usize, out: usize, rows: i32, columns: i32, stride: i32,
): void {
  for (let n = begin; n < end; n++) copyRow(out + bytes(columns) * n, x + bytes(stride) * at(rowOf, n), columns);
}

/** out[c, n] = x[n, c]. Items are columns. */
export function transposeRows(begin: i32, end: i32, x: usize, out: usize, rows: i32, columns: i32): void {
  const step = bytes(columns), outStep = bytes(rows);
  for (let c = begin; c < end; c += 4) {
    const lanes = min(4, end - c);
    for (let n = 0; n < rows; n += 4) {
      const height = min(4, rows - n);
      const from = x + step * n + bytes(c);
      const a0 = loadLanes(from, lanes);
      const a1 = height > 1 ? loadLanes(from + step, lanes) : a0;
      const a2 = height > 2 ? loadLanes(from + 2 * step, lanes) : a0;
      const a3 = height > 3 ? loadLanes(from + 3 * step, lanes) : a0;
      const low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
      const low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
      const to = out + outStep * c + bytes(n);
      storeLanes(to, v128.shuffle<u64>(low01, low23, 0, 2), height);
      if (lanes > 1) storeLanes(to + outStep, v128.shuffle<u64>(low01, low23, 1, 3), height);
      if (lanes > 2) storeLanes(to + 2 * outStep, v128.shuffle<u64>(high01, high23, 0, 2), height);
      if (lanes > 3) storeLanes(to + 3 * outStep, v128.shuffle<u64>(high01, high23, 1, 3), height);
    }
  }
}

/** y[rowOf[n], c] += x[c, n]; rows of x are `rows` elements long. Items are listed rows. */
export function addTransposedRows(
  begin: i32, end: i32, x: usize, rowOf: usize, y: usize, rows: i32, columns: i32, stride: i32,
): void {
  const step = bytes(rows);
  for (let n = begin; n < end; n += 4) {
    const height = min(4, end - n);
    const y0 = y + bytes(stride) * at(rowOf, n);
    const y1 = height > 1 ? y + bytes(stride) * at(rowOf, n + 1) : y0;
    const y2 = height > 2 ? y + bytes(stride) * at(rowOf, n + 2) : y0;
    const y3 = height > 3 ? y + bytes(stride) * at(rowOf, n + 3) : y0;
    let c = 0;
    if (height == 4) {
      let from = x + bytes(n);
      for (; c + 4 <= columns; c += 4, from += 4 * step) {
        const a0 = v128.load(from), a1 = v128.load(from + step);
        const a2 = v128.load(from + 2 * step), a3 = v128.load(from + 3 * step);
        const low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
        const low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
        const o = bytes(c);
        v128.store(y0 + o, f32x4.add(v128.load(y0 + o), v128.shuffle<u64>(low01, low23, 0, 2)));
        v128.store(y1 + o, f32x4.add(v128.load(y1 + o), v128.shuffle<u64>(low01, low23, 1, 3)));
        v128.store(y2 + o, f32x4.add(v128.load(y2 + o), v128.shuffle<u64>(high01, high23, 0, 2)));
        v128.store(y3 + o, f32x4.add(v128.load(y3 + o), v128.shuffle<u64>(high01, high23, 1, 3)));
      }
    }
    for (; c < columns; c += 4) {
      const lanes = min(4, columns - c);
      const from = x + step * c + bytes(n);
      const a0 = loadLanes(from, height);
      const a1 = lanes > 1 ? loadLanes(from + step, height) : a0;
      const a2 = lanes > 2 ? loadLanes(from + 2 * step, height) : a0;
      const a3 = lanes > 3 ? loadLanes(from + 3 * step, height) : a0;
      const low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
      const low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
      const o = bytes(c);
      addLanes(y0 + o, v128.shuffle<u64>(low01, low23, 0, 2), lanes);
      if (height > 1) addLanes(y1 + o, v128.shuffle<u64>(low01, low23, 1, 3), lanes);
      if (height > 2) addLanes(y2 + o, v128.shuffle<u64>(high01, high23, 0, 2), lanes);
      if (height > 3) addLanes(y3 + o, v128.shuffle<u64>(high01, high23, 1, 3), lanes);
    }
  }
}
