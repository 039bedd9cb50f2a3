// The lists of open blocks. See src/kernels/blocks-mask.ts.
import { at, bytes, loadLanes } from './blocks-rows';

/** Which of the (1 to 4) gates from here are open, as bits: those that are not 0. */
// @ts-ignore: decorator
@inline
function openBits(gates: usize, lanes: i32): i32 {
  return i32x4.bitmask(f32x4.ne(loadLanes(gates, lanes), f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function addOne(counts: usize, i: i32): i32 {
  const before = at(counts, i);
  store<i32>(counts + bytes(i), before + 1);
  return before;
}

/** The only item: count[0] = how many of n gates are not 0. */
export function countOpen(begin: i32, end: i32, gates: usize, count: usize, n: i32): void {
  let closed = i32x4.splat(0);
  let i = 0;
  // A comparison gives −1 where it holds, NaN compares as not equal.
  for (; i + 4 <= n; i += 4) closed = i32x4.sub(closed, f32x4.eq(v128.load(gates + bytes(i)), f32x4.splat(0)));
  let open = i - (i32x4.extract_lane(closed, 0) + i32x4.extract_lane(closed, 1)
    + i32x4.extract_lane(closed, 2) + i32x4.extract_lane(closed, 3));
  for (; i < n; i++) if (load<f32>(gates + bytes(i)) != 0) open++;
  store<i32>(count, open);
}

/**
 * The only item: counts the open pairs of blocks and rows, then numbers them. While it numbers, blockStart[k + 1] is
 * the next pair of block k; in the end that is the first of block k + 1.
 */
export function buildMask(
  begin: i32, end: i32, gates: usize, blockStart: usize, pairRow: usize, pairBlock: usize, rowStart: usize,
  rowPair: usize, rows: i32, blocks: i32,
): void {
  for (let k = 0; k <= blocks; k++) store<i32>(blockStart + bytes(k), 0);
  const row = bytes(blocks);
  let pairs = 0;
  for (let r = 0; r < rows; r++) {
    store<i32>(rowStart + bytes(r), pairs);
    for (let k = 0; k < blocks; k += 4) {
      let bits = openBits(gates + row * r + bytes(k), min(4, blocks - k));
      for (; bits; bits &= bits - 1, pairs++) addOne(blockStart + 4, k + ctz(bits));
    }
  }
  store<i32>(rowStart + bytes(rows), pairs);
  for (let k = 1, start = 0; k <= blocks; k++) {
    const count = at(blockStart, k);
    store<i32>(blockStart + bytes(k), start);
    start += count;
  }
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < blocks; k += 4) {
      let bits = openBits(gates + row * r + bytes(k), min(4, blocks - k));
      for (; bits; bits &= bits - 1, rowPair += 4) {
        const block = k + ctz(bits);
        const p = addOne(blockStart + 4, block);
        store<i32>(pairRow + bytes(p), r);
        store<i32>(pairBlock + bytes(p), block);
        store<i32>(rowPair, p);
      }
    }
  }
}

/** Items are vectors of four: see src/kernels/blocks-mask.ts. */
export function probeGates(
  begin: i32, end: i32, gates: usize, marks: usize, weights: usize, n: i32, probability: f32,
): void {
  const one = f32x4.splat(1);
  const least = f32x4.splat(probability);
  const inverse = f32x4.splat(1 / probability);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16) {
    const open = f32x4.ne(v128.load(gates + o), f32x4.splat(0));
    const probed = f32x4.lt(v128.load(marks + o), least);
    v128.store(marks + o, v128.and(v128.or(open, probed), one));
    v128.store(weights + o, v128.bitselect(one, inverse, open));
  }
}
