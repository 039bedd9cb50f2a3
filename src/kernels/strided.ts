/**
 * Kernels over arrays of any number of dimensions. `rank` dimensions stand before the last; dims# holds their extents, then their strides
 * in every operand, in elements: 1 + operands times `rank` whole numbers. `rows` is the product of these extents, `columns` the extent of
 * the last dimension, in which operands have the steps that are named. The assembly knows operations by their places in the tables.
 */
import { kernel } from './kernel.ts';

type Two = (a: number, b: number) => number;
type Three = (a: number, b: number, c: number, p: number) => number;

/** Functions of two elements, in the order of `combine` in assembly/strided.ts. */
export const COMBINATIONS = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  power: (a, b) => a ** b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  greater: (a, b) => (a > b ? 1 : 0),
  greaterEqual: (a, b) => (a >= b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  notEqual: (a, b) => (a !== b ? 1 : 0),
  /** b where a is not 0 */
  keep: (a, b) => (a !== 0 ? b : 0),
  /** b where a is 0 */
  drop: (a, b) => (a === 0 ? b : 0),
  squaredDifference: (a, b) => (a - b) ** 2,
  absoluteDifference: (a, b) => Math.abs(a - b),
  /** The weight a times b; a weight of 0 takes off a b of −∞, the logarithm of what cannot be. */
  weighed: (a, b) => (a === 0 && b === Number.NEGATIVE_INFINITY ? 0 : a * b),
} as const satisfies Record<string, Two>;
export type Combination = keyof typeof COMBINATIONS;

/** Functions of three elements and a parameter, in the order of `combineThree` in assembly/strided.ts. */
export const THREES = {
  where: (a, b, c) => (a !== 0 ? b : c),
  /** The gradient of a/b at b, for the cotangent c. */
  quotientSlope: (a, b, c) => (-c * (a / b)) / b,
  /** The gradient of a^b at a. */
  powerSlope: (a, b, c) => (b === 0 ? 0 : c * b * a ** (b - 1)),
  /** The gradient of a^b at b; a of 0 counts as flat. */
  exponentSlope: (a, b, c) => c * a ** b * Math.log(a === 0 ? 1 : a),
  /** The gradient of max(a, b) at a: ties share it. */
  greaterShare: (a, b, c) => c * (a > b ? 1 : a === b ? 0.5 : 0),
  squaredSlope: (a, b, c) => 2 * (a - b) * c,
  absoluteSlope: (a, b, c) => Math.sign(a - b) * c,
  /** c times Huber's loss of a − b: ½d² for |d| ≤ p, else p(|d| − ½p). */
  huber: (a, b, c, p) => {
    const near = Math.min(Math.abs(a - b), p);
    return c * near * (Math.abs(a - b) - 0.5 * near);
  },
  huberSlope: (a, b, c, p) => Math.max(-p, Math.min(a - b, p)) * c,
  /** The gradient of softmax: a the output, b its cotangent, c the sum of their products. */
  softmaxSlope: (a, b, c) => a * (b - c),
  /** The gradient of log-softmax: a the output, b its cotangent, c the sum of the cotangents. */
  logSoftmaxSlope: (a, b, c) => b - Math.exp(a) * c,
  /** The gradient of log Σ e^a: b the result, c its cotangent. */
  shareOfSum: (a, b, c) => c * Math.exp(a - b),
  /** The gradient of `weighed` at the weight a, for the cotangent c. */
  weighedSlope: (a, b, c) => (a === 0 && b === Number.NEGATIVE_INFINITY ? 0 : b * c),
} as const satisfies Record<string, Three>;
export type ThreeCombination = keyof typeof THREES;

const combinations: readonly Two[] = Object.values(COMBINATIONS);
const threes: readonly Three[] = Object.values(THREES);

/** Elements of a row that one work item covers; the assembly has the same number. */
const CHUNK = 16384;
const chunksOf = (rows: number, columns: number): number => rows * Math.ceil(columns / CHUNK);
const grainOf = (columns: number, share = 1): number =>
  Math.max(1, Math.ceil(CHUNK / share / Math.max(1, Math.min(CHUNK, columns))));

/** Where row r starts in operand number `which`: Σ index·stride. */
function startOf(memory: Float64Array, dims: number, rank: number, r: number, which: number): number {
  let offset = 0;
  let rest = r;
  for (let d = rank - 1; d >= 0; d--) {
    const extent = memory[dims + d];
    offset += (rest % extent) * memory[dims + (1 + which) * rank + d];
    rest = Math.floor(rest / extent);
  }
  return offset;
}

/** out = a ∘ b, both broadcast to rows×columns; steps are 0 or 1 */
export const combine = kernel({
  parameters: ['a*', 'b*', 'dims#', 'out*', 'rank', 'rows', 'columns', 'aStep', 'bStep', 'operation'],
  items: (_a, _b, _dims, _out, _rank, rows, columns) => chunksOf(rows, columns),
  grain: (_a, _b, _dims, _out, _rank, _rows, columns) => grainOf(columns),
  define(memory, a, b, dims, out, rank, rows, columns, aStep, bStep, operation) {
    const f = combinations[operation];
    for (let r = 0, i = out; r < rows; r++) {
      const p = a + startOf(memory, dims, rank, r, 0);
      const q = b + startOf(memory, dims, rank, r, 1);
      for (let c = 0; c < columns; c++, i++) memory[i] = f(memory[p + c * aStep], memory[q + c * bStep]);
    }
  },
});

/** out = f(a, b, c), all broadcast to rows×columns; steps are 0 or 1 */
export const combineThree = kernel({
  parameters: [
    'a*',
    'b*',
    'c*',
    'dims#',
    'out*',
    'rank',
    'rows',
    'columns',
    'aStep',
    'bStep',
    'cStep',
    'operation',
    'p',
  ],
  items: (_a, _b, _c, _dims, _out, _rank, rows, columns) => chunksOf(rows, columns),
  grain: (_a, _b, _c, _dims, _out, _rank, _rows, columns) => grainOf(columns),
  define(memory, a, b, c, dims, out, rank, rows, columns, aStep, bStep, cStep, operation, parameter) {
    const f = threes[operation];
    for (let r = 0, i = out; r < rows; r++) {
      const [p, q, s] = [a, b, c].map((pointer, which) => pointer + startOf(memory, dims, rank, r, which));
      for (let k = 0; k < columns; k++, i++)
        memory[i] = f(memory[p + k * aStep], memory[q + k * bStep], memory[s + k * cStep], parameter);
    }
  },
});

/** The elements of x to places of out; both have strides. Bits stay, those of whole numbers too. No place of out is named twice. */
export const copyStrided = kernel({
  parameters: ['x*', 'dims#', 'out*', 'rank', 'rows', 'columns', 'xStep', 'outStep'],
  items: (_x, _dims, _out, _rank, rows, columns) => chunksOf(rows, columns),
  grain: (_x, _dims, _out, _rank, _rows, columns) => grainOf(columns),
  define(memory, x, dims, out, rank, rows, columns, xStep, outStep) {
    for (let r = 0; r < rows; r++) {
      const from = x + startOf(memory, dims, rank, r, 0);
      const to = out + startOf(memory, dims, rank, r, 1);
      for (let c = 0; c < columns; c++) memory[to + c * outStep] = memory[from + c * xStep];
    }
  },
});
