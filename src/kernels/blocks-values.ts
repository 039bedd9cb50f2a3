/**
 * Element-wise work on the compact values of open blocks (pairs × size), and their way from and to dense matrices of
 * rows × (blocks·size). The lists of the mask are explained in blocks-mask.ts.
 *
 *     blockBiasGradient(dValues*, bias*, blockStart#, pairs, blocks, size, alpha, accumulate)
 *     gateBlocks(gates*, values*, out*, pairRow#, pairBlock#, pairs, blocks, size)
 *     blockGateGradient(values*, dOut*, dGates*, rowStart#, rowPair#, pairBlock#, pairs, rows, blocks, size)
 *     scatterBlocks(values*, out*, rowStart#, rowPair#, pairBlock#, pairs, rows, blocks, size)
 *     gatherBlocks(x*, values*, pairRow#, pairBlock#, pairs, blocks, size)
 *     blockUniforms(out*, pairRow#, pairBlock#, pairs, size, key0, key1, step, stream)
 *
 * gates and dGates are dense, rows × blocks. The pullbacks of gateBlocks are gateBlocks itself (applied to the cotangent)
 * and blockGateGradient; the pullback of scatterBlocks is gatherBlocks and the other way round.
 */
import { philox, wordToUniform } from '../random/philox.ts';
import { kernel } from './kernel.ts';
import { rowGrain } from './rows.ts';

/** Pairs in one item of blockUniforms. */
const PAIRS_EACH = 4;

/** bias[k] = (accumulate ? bias[k] : 0) + alpha·Σ over the pairs p of k: dValues[p]. Items are blocks. */
export const blockBiasGradient = kernel({
  parameters: ['dValues*', 'bias*', 'blockStart#', 'pairs', 'blocks', 'size', 'alpha', 'accumulate'],
  items: (_dv, _bias, _start, _pairs, blocks) => blocks,
  grain: (_dv, _bias, _start, pairs, blocks, size) => rowGrain(((pairs + blocks) * size) / Math.max(1, blocks)),
  define(memory, dValues, bias, blockStart, _pairs, blocks, size, alpha, accumulate) {
    for (let k = 0; k < blocks; k++)
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let p = memory[blockStart + k]; p < memory[blockStart + k + 1]; p++) sum += memory[dValues + p * size + j];
        const at = bias + k * size + j;
        memory[at] = (accumulate ? memory[at] : 0) + alpha * sum;
      }
  },
});

/** out[p] = gates[row(p), block(p)]·values[p]. Items are pairs. */
export const gateBlocks = kernel({
  parameters: ['gates*', 'values*', 'out*', 'pairRow#', 'pairBlock#', 'pairs', 'blocks', 'size'],
  items: (_gates, _values, _out, _row, _block, pairs) => pairs,
  grain: (_gates, _values, _out, _row, _block, _pairs, _blocks, size) => rowGrain(size),
  define(memory, gates, values, out, pairRow, pairBlock, pairs, blocks, size) {
    for (let p = 0; p < pairs; p++) {
      const gate = memory[gates + memory[pairRow + p] * blocks + memory[pairBlock + p]];
      for (let j = 0; j < size; j++) memory[out + p * size + j] = gate * memory[values + p * size + j];
    }
  },
});

/** dGates[r, k] = ⟨values[p], dOut[p]⟩ where k is open for r, else 0. Items are rows. */
export const blockGateGradient = kernel({
  parameters: ['values*', 'dOut*', 'dGates*', 'rowStart#', 'rowPair#', 'pairBlock#', 'pairs', 'rows', 'blocks', 'size'],
  items: (_values, _dOut, _dGates, _rs, _rp, _pb, _pairs, rows) => rows,
  grain: (_values, _dOut, _dGates, _rs, _rp, _pb, pairs, rows, blocks, size) =>
    rowGrain(blocks + (pairs * size) / Math.max(1, rows)),
  define(memory, values, dOut, dGates, rowStart, rowPair, pairBlock, _pairs, rows, blocks, size) {
    memory.fill(0, dGates, dGates + rows * blocks);
    for (let r = 0; r < rows; r++)
      for (let n = memory[rowStart + r]; n < memory[rowStart + r + 1]; n++) {
        const p = memory[rowPair + n];
        let sum = 0;
        for (let j = 0; j < size; j++) sum += memory[values + p * size + j] * memory[dOut + p * size + j];
        memory[dGates + r * blocks + memory[pairBlock + p]] = sum;
      }
  },
});

/** out[r, block k] = values[p] where k is open for r, else zeros. Items are rows. */
export const scatterBlocks = kernel({
  parameters: ['values*', 'out*', 'rowStart#', 'rowPair#', 'pairBlock#', 'pairs', 'rows', 'blocks', 'size'],
  items: (_values, _out, _rs, _rp, _pb, _pairs, rows) => rows,
  grain: (_values, _out, _rs, _rp, _pb, _pairs, _rows, blocks, size) => rowGrain(blocks * size),
  define(memory, values, out, rowStart, rowPair, pairBlock, _pairs, rows, blocks, size) {
    memory.fill(0, out, out + rows * blocks * size);
    for (let r = 0; r < rows; r++)
      for (let n = memory[rowStart + r]; n < memory[rowStart + r + 1]; n++) {
        const p = memory[rowPair + n];
        const to = out + (r * blocks + memory[pairBlock + p]) * size;
        for (let j = 0; j < size; j++) memory[to + j] = memory[values + p * size + j];
      }
  },
});

/** values[p] = x[row(p), block(p)]. Items are pairs. */
export const gatherBlocks = kernel({
  parameters: ['x*', 'values*', 'pairRow#', 'pairBlock#', 'pairs', 'blocks', 'size'],
  items: (_x, _values, _row, _block, pairs) => pairs,
  grain: (_x, _values, _row, _block, _pairs, _blocks, size) => rowGrain(size),
  define(memory, x, values, pairRow, pairBlock, pairs, blocks, size) {
    for (let p = 0; p < pairs; p++) {
      const from = x + (memory[pairRow + p] * blocks + memory[pairBlock + p]) * size;
      for (let j = 0; j < size; j++) memory[values + p * size + j] = memory[from + j];
    }
  },
});

/** out[p, i] = what `uniforms` gives at (row(p), block(p)·size + i). Items are groups of four pairs. */
export const blockUniforms = kernel({
  parameters: ['out*', 'pairRow#', 'pairBlock#', 'pairs', 'size', 'key0', 'key1', 'step', 'stream'],
  items: (_out, _row, _block, pairs) => Math.ceil(pairs / PAIRS_EACH),
  grain: (_out, _row, _block, _pairs, size) => rowGrain(PAIRS_EACH * 2 * Math.max(8, size)),
  define(memory, out, pairRow, pairBlock, pairs, size, key0, key1, step, stream) {
    const words = new Uint32Array(4);
    for (let p = 0; p < pairs; p++)
      for (let i = 0; i < size; i++) {
        const unit = memory[pairBlock + p] * size + i;
        philox([(unit >> 4) * 4 + (unit & 3), memory[pairRow + p], step, stream], key0, key1, words);
        memory[out + p * size + i] = wordToUniform(words[(unit >> 2) & 3]);
      }
  },
});
