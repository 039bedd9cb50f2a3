import { kernel } from './kernel.ts';
import { rowGrain } from './rows.ts';

/** out[r, k, i] = gates[r, k]·values[r, k, i]: shapes rows×blocks and rows×(blocks·size) */
export const gateMultiply = kernel({
  parameters: ['gates*', 'values*', 'out*', 'rows', 'blocks', 'size'],
  items: (_gates, _values, _out, rows) => rows,
  grain: (_gates, _values, _out, _rows, blocks, size) => rowGrain(blocks * size),
  define(memory, gates, values, out, rows, blocks, size) {
    for (let p = 0; p < rows * blocks; p++)
      for (let i = 0; i < size; i++) memory[out + p * size + i] = memory[gates + p] * memory[values + p * size + i];
  },
});

/**
 * The load balance of switch gates (Fedus, Zoph, Shazeer 2021, Eq. 4–6) row by row: with p the softmax of the logits,
 * values[r] = units·Σ_j share_j·p_j/rows, and its gradient at the logits.
 */
export const switchBalance = kernel({
  parameters: ['logits*', 'shares*', 'gradient*', 'values*', 'rows', 'units'],
  items: (_logits, _shares, _gradient, _values, rows) => rows,
  grain: (_logits, _shares, _gradient, _values, _rows, units) => rowGrain(4 * units),
  define(memory, logits, shares, gradient, values, rows, units) {
    const share = memory.subarray(shares, shares + units);
    for (let r = 0; r < rows; r++) {
      const row = memory.subarray(logits + r * units, logits + (r + 1) * units);
      const top = row.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
      const powers = row.map((logit) => Math.exp(logit - top));
      const total = powers.reduce((sum, power) => sum + power, 0);
      const dot = powers.reduce((sum, power, j) => sum + (share[j] * power) / total, 0);
      powers.forEach((power, j) => {
        memory[gradient + r * units + j] = (units * (power / total) * (share[j] - dot)) / rows;
      });
      memory[values + r] = (units * dot) / rows;
    }
  },
});

/** out[r, k] = ⟨x[r, k, ·], y[r, k, ·]⟩ */
export const blockDot = kernel({
  parameters: ['x*', 'y*', 'out*', 'rows', 'blocks', 'size'],
  items: (_x, _y, _out, rows) => rows,
  grain: (_x, _y, _out, _rows, blocks, size) => rowGrain(blocks * size),
  define(memory, x, y, out, rows, blocks, size) {
    for (let p = 0; p < rows * blocks; p++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += memory[x + p * size + i] * memory[y + p * size + i];
      memory[out + p] = sum;
    }
  },
});
