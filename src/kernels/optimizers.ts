import { vectorGrain, vectors } from './elementwise.ts';
import { kernel } from './kernel.ts';
import { COLUMN_GROUP, rowGrain } from './rows.ts';

/** Smaller gradients and moments count as 0, because denormal numbers are slow; the constants of assembly/optimizers.ts. */
const LEAST_GRADIENT = 1e-16;
const LEAST_MOMENT = 1e-30;
const LEAST_SQUARE = 1e-36;

const flushed = (x: number, least: number): number => (Math.abs(x) < least ? 0 : x);

/** velocity = momentum·velocity − rate·gradient; weights += velocity (Polyak 1964) */
export const momentumUpdate = kernel({
  parameters: ['weights*', 'gradient*', 'velocity*', 'n', 'rate', 'momentum'],
  items: (_weights, _gradient, _velocity, n) => vectors(n),
  grain: vectorGrain,
  define(memory, weights, gradient, velocity, n, rate, momentum) {
    for (let i = 0; i < n; i++) {
      memory[velocity + i] = flushed(momentum * memory[velocity + i] - rate * memory[gradient + i], LEAST_MOMENT);
      memory[weights + i] += memory[velocity + i];
    }
  },
});

/**
 * Adam (Kingma and Ba 2015, algorithm 1) on g = gradientScale·gradient. The caller folds 1/(1−β₁ᵗ) into `rate` and gives
 * `correction` = 1/(1−β₂ᵗ).
 */
export const adamUpdate = kernel({
  parameters: [
    'weights*',
    'gradient*',
    'first*',
    'second*',
    'n',
    'gradientScale',
    'rate',
    'beta1',
    'beta2',
    'correction',
    'epsilon',
  ],
  items: (_weights, _gradient, _first, _second, n) => vectors(n),
  grain: vectorGrain,
  define(memory, weights, gradient, first, second, n, gradientScale, rate, beta1, beta2, correction, epsilon) {
    for (let i = 0; i < n; i++) {
      const g = flushed(gradientScale * memory[gradient + i], LEAST_GRADIENT);
      memory[first + i] = flushed(beta1 * memory[first + i] + (1 - beta1) * g, LEAST_MOMENT);
      memory[second + i] = flushed(beta2 * memory[second + i] + (1 - beta2) * g * g, LEAST_SQUARE);
      memory[weights + i] -= (rate * memory[first + i]) / (Math.sqrt(memory[second + i] * correction) + epsilon);
    }
  },
});

/** Scales every column of weights (rows × columns) with a Euclidean norm over `limit` down to that norm. */
export const maxNorm = kernel({
  parameters: ['weights*', 'rows', 'columns', 'limit'],
  items: (_weights, _rows, columns) => Math.ceil(columns / COLUMN_GROUP),
  grain: (_weights, rows) => rowGrain(COLUMN_GROUP * rows),
  define(memory, weights, rows, columns, limit) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += memory[weights + r * columns + c] ** 2;
      const factor = Math.min(1, limit / Math.sqrt(sum));
      if (factor < 1) for (let r = 0; r < rows; r++) memory[weights + r * columns + c] *= factor;
    }
  },
});
