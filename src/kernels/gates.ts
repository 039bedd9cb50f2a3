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
