import { vectorGrain, vectors } from './elementwise.ts';
import { kernel } from './kernel.ts';
import { COLUMN_GROUP, rowGrain } from './rows.ts';

/** Smaller gradients and moments count as 0, because denormal numbers are slow; the constants of assembly/optimizers.ts. */
const LEAST_GRADIENT = 1e-16;
const LEAST_MOMENT = 1e-30;
const LEAST_SQUARE = 1e-36;

const flushed = (x: number, least: number): number => (Math.abs(x) < least ? 0 : x);

/**
 * Rules of an update, as eight numbers (those at the end are 0) that kernels and definitions read:
 *
 *     1, rate, momentum                                              velocity = momentum·velocity − rate·gradient; weights += velocity
 *     2, gradientScale, rate, beta1, beta2, correction, epsilon      Adam, see adamUpdate
 */
export const RULE_NUMBERS = 8;
export const MOMENTUM_RULE = 1;
export const ADAM_RULE = 2;

/** Where a rule works, as pointers. */
export interface UpdatePlace {
  readonly weights: number;
  readonly first: number;
  /** 0 where the rule has none. */
  readonly second: number;
  readonly rule: number;
}

/** One step of a rule for one element: its weight, and what the optimizer keeps of it, change in place. */
export function stepRule(
  memory: Float64Array,
  rule: ArrayLike<number>,
  weight: number,
  gradient: number,
  first: number,
  second: number,
): void {
  if (rule[0] === MOMENTUM_RULE) {
    const [, rate, momentum] = Array.from(rule);
    memory[first] = flushed(momentum * memory[first] - rate * gradient, LEAST_MOMENT);
    memory[weight] += memory[first];
    return;
  }
  const [, gradientScale, rate, beta1, beta2, correction, epsilon] = Array.from(rule);
  const g = flushed(gradientScale * gradient, LEAST_GRADIENT);
  memory[first] = flushed(beta1 * memory[first] + (1 - beta1) * g, LEAST_MOMENT);
  memory[second] = flushed(beta2 * memory[second] + (1 - beta2) * g * g, LEAST_SQUARE);
  memory[weight] -= (rate * memory[first]) / (Math.sqrt(memory[second] * correction) + epsilon);
}

/** velocity = momentum·velocity − rate·gradient; weights += velocity (Polyak 1964) */
export const momentumUpdate = kernel({
  parameters: ['weights*', 'gradient*', 'velocity*', 'n', 'rate', 'momentum'],
  items: (_weights, _gradient, _velocity, n) => vectors(n),
  grain: vectorGrain,
  define(memory, weights, gradient, velocity, n, rate, momentum) {
    const rule = [MOMENTUM_RULE, rate, momentum];
    for (let i = 0; i < n; i++) stepRule(memory, rule, weights + i, memory[gradient + i], velocity + i, 0);
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
  define(memory, weights, gradient, first, second, n, ...numbers) {
    const rule = [ADAM_RULE, ...numbers];
    for (let i = 0; i < n; i++) stepRule(memory, rule, weights + i, memory[gradient + i], first + i, second + i);
  },
});

/** Elements of a block in one item: STRETCH of assembly/optimizers.ts. */
const STRETCH = 4096;
const stretches = (blocks: number, size: number): number => blocks * Math.ceil(size / STRETCH);

/**
 * A step of a rule for the blocks (`size` elements each) that have an open pair; the others stay as they are. `second` is 0 for rules without
 * it.
 */
export const updateBlocks = kernel({
  parameters: ['weights*', 'gradient*', 'first*', 'second*', 'rule*', 'blockStart#', 'blocks', 'size'],
  items: (_w, _g, _first, _second, _rule, _start, blocks, size) => stretches(blocks, size),
  grain: () => 4,
  define(memory, weights, gradient, first, second, rule, blockStart, blocks, size) {
    const numbers = memory.subarray(rule, rule + RULE_NUMBERS);
    for (let k = 0; k < blocks; k++)
      if (memory[blockStart + k] !== memory[blockStart + k + 1])
        for (let i = k * size; i < (k + 1) * size; i++)
          stepRule(memory, numbers, weights + i, memory[gradient + i], first + i, second + i);
  },
});

/**
 * The steps last[k] + 1 to `now` of a rule, without a gradient, for the blocks with an open pair, or for all where blockStart is 0. The
 * numbers of step n are row n mod `room` of the history (room × 8). The caller then sets `last`.
 */
export const catchUp = kernel({
  parameters: ['weights*', 'first*', 'second*', 'history*', 'last#', 'blockStart#', 'blocks', 'size', 'now', 'room'],
  items: (_w, _first, _second, _history, _last, _start, blocks, size) => stretches(blocks, size),
  grain: () => 1,
  define(memory, weights, first, second, history, last, blockStart, blocks, size, now, room) {
    for (let k = 0; k < blocks; k++) {
      if (blockStart && memory[blockStart + k] === memory[blockStart + k + 1]) continue;
      for (let step = memory[last + k] + 1; step <= now; step++) {
        const at = history + RULE_NUMBERS * (step % room);
        const rule = memory.subarray(at, at + RULE_NUMBERS);
        for (let i = k * size; i < (k + 1) * size; i++) stepRule(memory, rule, weights + i, 0, first + i, second + i);
      }
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
