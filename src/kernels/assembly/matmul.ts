// C = base + A·B in Float32, where base is C itself, a bias row or nothing; after Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication" (2008). A is packed once into panels of TILE_ROWS rows (packLeft). A work
// item of matmulPacked packs its columns of B into panels of TILE_COLUMNS columns, one block of the depth k at a time,
// and runs a register tile over panels of A and B.
//
// An element of C is the sum in order of its products within a block of k, added block after block to the base. Blocks
// depend on k alone, so the sum never depends on how items were shared among threads.
import { scratch } from './scratch';

// 12 accumulators, two vectors of B and one element of A: the 15 vector registers that V8 hands out on x86-64.
const TILE_ROWS: i32 = 6;
const TILE_COLUMNS: i32 = 8;
/** Columns of B in one work item; a multiple of TILE_COLUMNS. */
const GROUP_COLUMNS: i32 = 32;
/** A block of k: two panels this deep fit in the first-level cache, a group in the second and in scratch. */
const BLOCK_DEPTH: i32 = 512;
/** Where groups of columns make fewer items than this, rows are divided too, into no less than so many tiles. */
const ENOUGH_ITEMS: i32 = 16;
const LEAST_ROW_TILES: i32 = 8;

// The private scratch memory: a row of zeros for the base "nothing", the tile in hand, the packed block of B.
const ZEROS: usize = 0;
const ZEROS_BYTES: usize = GROUP_COLUMNS * 4;
const TILE: usize = ZEROS_BYTES;
const TILE_BYTES: usize = TILE_ROWS * TILE_COLUMNS * 4;
const PACKED_RIGHT: usize = TILE + TILE_BYTES;

/** Item p packs panel p: rows 6p to 6p + 5 of A at packed + 4·6p·k, k-major; rows past the last are zeros. */
export function packLeft(
  begin: i32, end: i32,
  a: usize, packed: usize, m: i32, k: i32, aRow: i32, aColumn: i32,
): void {
  for (let panel = begin; panel < end; panel++) {
    const first = panel * TILE_ROWS;
    const rows = min(TILE_ROWS, m - first);
    const source = a + bytes(first) * aRow;
    const target = packed + bytes(first) * k;
    if (rows == TILE_ROWS && aColumn == 1) packSixAlong(source, bytes(aRow), k, target);
    else if (rows == TILE_ROWS && aRow == 1) packSixAcross(source, bytes(aColumn), k, target);
    else packAny(source, bytes(aRow), rows, TILE_ROWS, bytes(aColumn), k, target);
  }
}

/** Items: row ranges within groups of columns of C. The argument list is explained in src/kernels/matmul.ts. */
export function matmulPacked(
  begin: i32, end: i32,
  packed: usize, b: usize, c: usize, m: i32, n: i32, k: i32,
  bRow: i32, bColumn: i32, cRow: i32, bias: usize, accumulate: i32,
): void {
  memory.fill(scratch + ZEROS, 0, ZEROS_BYTES);
  const rowItems = rowItemsOf(m, n);
  const rowsEach = ceilDivide(ceilDivide(m, TILE_ROWS), rowItems) * TILE_ROWS;
  for (let item = begin; item < end; item++) {
    const row = (item % rowItems) * rowsEach;
    const column = (item / rowItems) * GROUP_COLUMNS;
    if (row >= m) continue;
    const corner = c + bytes(row) * cRow + bytes(column);
    const base = accumulate ? corner : bias ? bias + bytes(column) : scratch + ZEROS;
    multiplyItem(
      packed + bytes(row) * k, b + bytes(column) * bColumn, bRow, bColumn, base, accumulate ? bytes(cRow) : 0,
      corner, bytes(cRow), min(rowsEach, m - row), min(GROUP_COLUMNS, n - column), k,
    );
  }
}

function rowItemsOf(m: i32, n: i32): i32 {
  const wanted = ceilDivide(ENOUGH_ITEMS, max(1, ceilDivide(n, GROUP_COLUMNS)));
  return min(wanted, max(1, ceilDivide(m, TILE_ROWS) / LEAST_ROW_TILES));
}

/** The depth of a block of k: all as even as can be. */
export function blockDepth(k: i32): i32 {
  return ceilDivide(k, max(1, ceilDivide(k, BLOCK_DEPTH)));
}

/** All blocks of k for one item; blocks are as even as can be. k = 0 is one block of depth 0, which stores the base. */
function multiplyItem(
  a: usize, b: usize, bRow: i32, bColumn: i32, base: usize, baseRow: usize, c: usize, cRow: usize,
  rows: i32, columns: i32, k: i32,
): void {
  const depth = blockDepth(k);
  let done = 0;
  do {
    const block = min(depth, k - done);
    packRight(b + bytes(done) * bRow, bRow, bColumn, columns, block);
    multiplyBlock(a + bytes(done) * TILE_ROWS, bytes(k) * TILE_ROWS, base, baseRow, c, cRow, rows, columns, block);
    base = c;
    baseRow = cRow;
    done += block;
  } while (done < k);
}

/** C = base + (a block of A) · (the packed block of B); panels of A are aPanel bytes apart. */
function multiplyBlock(
  a: usize, aPanel: usize, base: usize, baseRow: usize, c: usize, cRow: usize,
  rows: i32, columns: i32, depth: i32,
): void {
  const tile = scratch + TILE;
  if (depth == 0) memory.fill(tile, 0, TILE_BYTES);
  for (let i = 0; i < rows; i += TILE_ROWS) {
    let panel = scratch + PACKED_RIGHT;
    for (let j = 0; j < columns; j += TILE_COLUMNS) {
      if (depth > 0) multiplyTile(a, panel, depth, tile);
      const high = min(TILE_ROWS, rows - i);
      if (columns - j >= TILE_COLUMNS) storeTile(tile, base + bytes(j), baseRow, c + bytes(j), cRow, high);
      else storeEdge(tile, base + bytes(j), baseRow, c + bytes(j), cRow, high, columns - j);
      panel += bytes(TILE_COLUMNS) * depth;
    }
    a += aPanel;
    base += baseRow * TILE_ROWS;
    c += cRow * TILE_ROWS;
  }
}

/**
 * tile = (panel of A) · (panel of B) over depth >= 1 steps. V8 20, 22 and 24 keep all of it in registers only while the
 * first step is peeled and the stores have constant offsets: with C's own row stride here, 22 is a third slower.
 */
function multiplyTile(a: usize, b: usize, depth: i32, tile: usize): void {
  const end = a + bytes(depth) * TILE_ROWS;
  let b0 = v128.load(b), b1 = v128.load(b, 16);
  let x = v128.load32_splat(a);
  let c00 = f32x4.mul(x, b0), c01 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 4);
  let c10 = f32x4.mul(x, b0), c11 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 8);
  let c20 = f32x4.mul(x, b0), c21 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 12);
  let c30 = f32x4.mul(x, b0), c31 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 16);
  let c40 = f32x4.mul(x, b0), c41 = f32x4.mul(x, b1);
  x = v128.load32_splat(a, 20);
  let c50 = f32x4.mul(x, b0), c51 = f32x4.mul(x, b1);
  for (a += 24, b += 32; a < end; a += 24, b += 32) {
    b0 = v128.load(b), b1 = v128.load(b, 16);
    x = v128.load32_splat(a);
    c00 = multiplyAdd(x, b0, c00), c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10), c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20), c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30), c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = multiplyAdd(x, b0, c40), c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = multiplyAdd(x, b0, c50), c51 = multiplyAdd(x, b1, c51);
  }
  v128.store(tile, c00), v128.store(tile, c01, 16);
  v128.store(tile, c10, 32), v128.store(tile, c11, 48);
  v128.store(tile, c20, 64), v128.store(tile, c21, 80);
  v128.store(tile, c30, 96), v128.store(tile, c31, 112);
  v128.store(tile, c40, 128), v128.store(tile, c41, 144);
  v128.store(tile, c50, 160), v128.store(tile, c51, 176);
}

/** c + a·b: fused where the machine fuses (relaxed SIMD), else rounded twice. */
@inline
function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** C = base + tile, for a tile of full width. */
function storeTile(tile: usize, base: usize, baseRow: usize, c: usize, cRow: usize, rows: i32): void {
  for (let i = 0; i < rows; i++) {
    v128.store(c, f32x4.add(v128.load(base), v128.load(tile)));
    v128.store(c, f32x4.add(v128.load(base, 16), v128.load(tile, 16)), 16);
    tile += 32;
    base += baseRow;
    c += cRow;
  }
}

/** C = base + tile, at the right edge of C. */
function storeEdge(tile: usize, base: usize, baseRow: usize, c: usize, cRow: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      store<f32>(c + bytes(j), load<f32>(base + bytes(j)) + load<f32>(tile + bytes(j)));
    }
    tile += 32;
    base += baseRow;
    c += cRow;
  }
}

/** Packs a block of B into scratch, panel after panel, each k-major; columns past the last are zeros. */
function packRight(source: usize, bRow: i32, bColumn: i32, columns: i32, depth: i32): void {
  let target = scratch + PACKED_RIGHT;
  for (let j = 0; j < columns; j += TILE_COLUMNS) {
    const present = min(TILE_COLUMNS, columns - j);
    if (present == TILE_COLUMNS && bColumn == 1) packEightAcross(source, bytes(bRow), depth, target);
    else if (present == TILE_COLUMNS && bRow == 1) packEightAlong(source, bytes(bColumn), depth, target);
    else packAny(source, bytes(bColumn), present, TILE_COLUMNS, bytes(bRow), depth, target);
    source += bytes(TILE_COLUMNS) * bColumn;
    target += bytes(TILE_COLUMNS) * depth;
  }
}

// A panel interleaves lines (rows of A, columns of B): target[step·width + j] = line j at that step, for `steps` steps.
// "Along": each line is contiguous, and lines are `line` bytes apart. "Across": each step is contiguous.

function packSixAlong(source: usize, line: usize, steps: i32, target: usize): void {
  let i = 0;
  for (; i <= steps - 4; i += 4) {
    transposeFour(source, line, target, 24);
    transposeTwo(source + 4 * line, line, target + 16, 24);
    source += 16;
    target += 96;
  }
  packAny(source, line, 6, 6, 4, steps - i, target);
}

function packEightAlong(source: usize, line: usize, steps: i32, target: usize): void {
  let i = 0;
  for (; i <= steps - 4; i += 4) {
    transposeFour(source, line, target, 32);
    transposeFour(source + 4 * line, line, target + 16, 32);
    source += 16;
    target += 128;
  }
  packAny(source, line, 8, 8, 4, steps - i, target);
}

function packSixAcross(source: usize, step: usize, steps: i32, target: usize): void {
  for (let i = 0; i < steps; i++) {
    v128.store(target, v128.load(source));
    store<u64>(target, load<u64>(source, 16), 16);
    source += step;
    target += 24;
  }
}

function packEightAcross(source: usize, step: usize, steps: i32, target: usize): void {
  for (let i = 0; i < steps; i++) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
    source += step;
    target += 32;
  }
}

function packAny(
  source: usize, line: usize, lines: i32, width: i32, step: usize, steps: i32, target: usize,
): void {
  for (let i = 0; i < steps; i++) {
    for (let j = 0; j < width; j++) {
      store<f32>(target, j < lines ? load<f32>(source + line * j) : 0);
      target += 4;
    }
    source += step;
  }
}

/** Four steps of four lines. */
@inline
function transposeFour(source: usize, line: usize, target: usize, width: usize): void {
  const x0 = v128.load(source), x1 = v128.load(source + line);
  const x2 = v128.load(source + 2 * line), x3 = v128.load(source + 3 * line);
  const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
  v128.store(target, v128.shuffle<u64>(low01, low23, 0, 2));
  v128.store(target + width, v128.shuffle<u64>(low01, low23, 1, 3));
  v128.store(target + 2 * width, v128.shuffle<u64>(high01, high23, 0, 2));
  v128.store(target + 3 * width, v128.shuffle<u64>(high01, high23, 1, 3));
}

/** Four steps of two lines. */
@inline
function transposeTwo(source: usize, line: usize, target: usize, width: usize): void {
  const x0 = v128.load(source), x1 = v128.load(source + line);
  const low = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5), high = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  v128.store64_lane(target, low, 0);
  v128.store64_lane(target + width, low, 1);
  v128.store64_lane(target + 2 * width, high, 0);
  v128.store64_lane(target + 3 * width, high, 1);
}

@inline
function bytes(elements: i32): usize {
  return (<usize>elements) << 2;
}

@inline
function ceilDivide(x: i32, y: i32): i32 {
  return (x + y - 1) / y;
}
