// Element-wise work on the compact values of open blocks, and their way from and to dense matrices of
// rows × (blocks·size). See src/kernels/blocks-values.ts.
import { addLanes, at, bytes, copyRow, loadLanes, multiplyAdd, storeLanes, sumOfLanes } from './blocks-rows';

/** bias[k] = (accumulate ? bias[k] : 0) + alpha·Σ over the pairs p of k: dValues[p]. Items are blocks. */
export function blockBiasGradient(
  begin: i32, end: i32, dValues: usize, bias: usize, blockStart: usize, pairs: i32, blocks: i32, size: i32,
  alpha: f32, accumulate: i32,
): void {
  const factor = f32x4.splat(alpha);
  for (let k = begin; k < end; k++) {
    const start = at(blockStart, k);
    const stop = at(blockStart, k + 1);
    const to = bias + bytes(k * size);
    if (!accumulate) copyRow(to, 0, size);
    if (start == stop) continue;
    for (let c = 0; c < size; c += 4) {
      const lanes = min(4, size - c);
      let sum = f32x4.splat(0);
      for (let p = start; p < stop; p++) sum = f32x4.add(sum, loadLanes(dValues + bytes(p * size + c), lanes));
      addLanes(to + bytes(c), f32x4.mul(factor, sum), lanes);
    }
  }
}

/** out[p] = gates[row(p), block(p)]·values[p]. Items are pairs. */
export function gateBlocks(
  begin: i32, end: i32, gates: usize, values: usize, out: usize, pairRow: usize, pairBlock: usize,
  pairs: i32, blocks: i32, size: i32,
): void {
  for (let p = begin; p < end; p++) {
    const gate = v128.load32_splat(gates + bytes(at(pairRow, p) * blocks + at(pairBlock, p)));
    const o = bytes(p * size);
    for (let c = 0; c < size; c += 4) {
      const lanes = min(4, size - c);
      storeLanes(out + o + bytes(c), f32x4.mul(gate, loadLanes(values + o + bytes(c), lanes)), lanes);
    }
  }
}

/** dGates[r, k] = ⟨values[p], dOut[p]⟩ where k is open for r, else 0. Items are rows. */
export function blockGateGradient(
  begin: i32, end: i32, values: usize, dOut: usize, dGates: usize, rowStart: usize, rowPair: usize, pairBlock: usize,
  pairs: i32, rows: i32, blocks: i32, size: i32,
): void {
  for (let r = begin; r < end; r++) {
    const to = dGates + bytes(blocks) * r;
    copyRow(to, 0, blocks);
    for (let n = at(rowStart, r); n < at(rowStart, r + 1); n++) {
      const p = at(rowPair, n);
      const o = bytes(size) * p;
      let sums = f32x4.splat(0);
      for (let c = 0; c < size; c += 4) {
        const lanes = min(4, size - c);
        sums = multiplyAdd(loadLanes(values + o + bytes(c), lanes), loadLanes(dOut + o + bytes(c), lanes), sums);
      }
      store<f32>(to + bytes(at(pairBlock, p)), sumOfLanes(sums));
    }
  }
}

/** out[r, block k] = values[p] where k is open for r, else zeros. Items are rows. */
export function scatterBlocks(
  begin: i32, end: i32, values: usize, out: usize, rowStart: usize, rowPair: usize, pairBlock: usize,
  pairs: i32, rows: i32, blocks: i32, size: i32,
): void {
  for (let r = begin; r < end; r++) {
    const to = out + bytes(blocks * size) * r;
    let next = 0;
    for (let n = at(rowStart, r); n < at(rowStart, r + 1); n++) {
      const p = at(rowPair, n);
      const k = at(pairBlock, p);
      copyRow(to + bytes(next * size), 0, (k - next) * size);
      copyRow(to + bytes(k * size), values + bytes(size) * p, size);
      next = k + 1;
    }
    copyRow(to + bytes(next * size), 0, (blocks - next) * size);
  }
}

/** values[p] = x[row(p), block(p)]. Items are pairs. */
export function gatherBlocks(
  begin: i32, end: i32, x: usize, values: usize, pairRow: usize, pairBlock: usize, pairs: i32, blocks: i32, size: i32,
): void {
  for (let p = begin; p < end; p++) {
    const from = x + bytes(size) * (at(pairRow, p) * blocks + at(pairBlock, p));
    copyRow(values + bytes(size) * p, from, size);
  }
}
