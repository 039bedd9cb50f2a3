/** Layer normalisation (Ba, Kiros, Hinton 2016) of rows of `columns`, and dropout (Hinton and others 2012). */
import { kernel } from './kernel.ts';
import { COLUMN_GROUP, rowGrain } from './rows.ts';

/**
 * out[r, c] = gain[c]·x̂[r, c] + bias[c], x̂ = (x − mean)/√(variance + ε), both over the row; moments[r] = (mean, 1/√(variance + ε)). Items
 * are rows.
 */
export const layerNorm = kernel({
  parameters: ['x*', 'gain*', 'bias*', 'out*', 'moments*', 'rows', 'columns', 'epsilon'],
  items: (_x, _gain, _bias, _out, _moments, rows) => rows,
  grain: (_x, _gain, _bias, _out, _moments, _rows, columns) => rowGrain(4 * columns),
  define(memory, x, gain, bias, out, moments, rows, columns, epsilon) {
    for (let r = 0; r < rows; r++) {
      const row = memory.subarray(x + r * columns, x + (r + 1) * columns);
      const mean = row.reduce((sum, value) => sum + value, 0) / columns;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns;
      const scale = 1 / Math.sqrt(variance + epsilon);
      memory[moments + 2 * r] = mean;
      memory[moments + 2 * r + 1] = scale;
      for (let c = 0; c < columns; c++)
        memory[out + r * columns + c] = memory[gain + c] * (row[c] - mean) * scale + memory[bias + c];
    }
  },
});

/** The gradient at x: scale·(g − mean(g) − x̂·mean(g·x̂)), g = gain·dy, means over the row. Items are rows. */
export const layerNormInputs = kernel({
  parameters: ['x*', 'gain*', 'moments*', 'dy*', 'dx*', 'rows', 'columns'],
  items: (_x, _gain, _moments, _dy, _dx, rows) => rows,
  grain: (_x, _gain, _moments, _dy, _dx, _rows, columns) => rowGrain(4 * columns),
  define(memory, x, gain, moments, dy, dx, rows, columns) {
    for (let r = 0; r < rows; r++) {
      const [mean, scale] = [memory[moments + 2 * r], memory[moments + 2 * r + 1]];
      let [sum, product] = [0, 0];
      for (let c = 0; c < columns; c++) {
        const g = memory[gain + c] * memory[dy + r * columns + c];
        sum += g;
        product += g * (memory[x + r * columns + c] - mean) * scale;
      }
      for (let c = 0; c < columns; c++) {
        const normal = (memory[x + r * columns + c] - mean) * scale;
        const g = memory[gain + c] * memory[dy + r * columns + c];
        memory[dx + r * columns + c] = scale * (g - sum / columns - (normal * product) / columns);
      }
    }
  },
});

/** The gradient at the gain: out[c] = Σ_r dy[r, c]·x̂[r, c], rows added in order. Items are groups of columns. */
export const layerNormGain = kernel({
  parameters: ['x*', 'moments*', 'dy*', 'out*', 'rows', 'columns'],
  items: (_x, _moments, _dy, _out, _rows, columns) => Math.ceil(columns / COLUMN_GROUP),
  grain: (_x, _moments, _dy, _out, rows) => rowGrain(2 * COLUMN_GROUP * rows),
  define(memory, x, moments, dy, out, rows, columns) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) {
        const normal = (memory[x + r * columns + c] - memory[moments + 2 * r]) * memory[moments + 2 * r + 1];
        sum += memory[dy + r * columns + c] * normal;
      }
      memory[out + c] = sum;
    }
  },
});

/** out[i] = u[i] < drop ? 0 : x[i]/(1 − drop). */
export const dropElements = kernel({
  parameters: ['x*', 'u*', 'out*', 'n', 'drop'],
  items: (_x, _u, _out, n) => n,
  grain: () => 16384,
  define(memory, x, u, out, n, drop) {
    for (let i = 0; i < n; i++) memory[out + i] = memory[u + i] < drop ? 0 : memory[x + i] / (1 - drop);
  },
});
