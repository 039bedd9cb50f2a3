/**
 * Formulas of numbers as values, which exports translate into other languages: what operations compute of single elements, and the
 * deterministic forms of neurons, of one logit. A neuron's functions stay the definition; the conformance suite and every
 * export hold the formulas against them.
 */

/** Every operation with its meaning. An export has a table with a row for each. */
export const operations = {
  add: (x, y) => x + y,
  subtract: (x, y) => x - y,
  multiply: (x, y) => x * y,
  divide: (x, y) => x / y,
  min: (x, y) => Math.min(x, y),
  max: (x, y) => Math.max(x, y),
  exp: (x) => Math.exp(x),
  log: (x) => Math.log(x),
  sqrt: (x) => Math.sqrt(x),
  power: (x, y) => x ** y,
  tanh: (x) => Math.tanh(x),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  /** Is x > y? Then the third number, else the fourth. Of NaN the third: an open unit shows it, a closed one would hide it. */
  pick: (x, y, then, otherwise) => (x <= y ? otherwise : then),
} as const satisfies Record<string, (...numbers: number[]) => number>;

export type Operation = keyof typeof operations;

/** A number, the logit, another operand by its number (the logit is 0), or an operation on formulas. */
export type Formula =
  | number
  | 'logit'
  | { readonly operand: number }
  | { readonly operation: Operation; readonly of: readonly Formula[] };

type AsFormulas<Numbers extends readonly number[]> = { [I in keyof Numbers]: Formula };
type Builders = {
  readonly [O in Operation]: (...of: AsFormulas<Parameters<(typeof operations)[O]>>) => Formula;
};

/** Builds formulas: `f.max(0, f.logit)`. Shared parts are computed once in exports. */
export const f = {
  ...(Object.fromEntries(
    Object.keys(operations).map((operation) => [operation, (...of: Formula[]) => ({ operation, of })]),
  ) as unknown as Builders),
  logit: 'logit' as Formula,
  operand: (number: number): Formula => (number === 0 ? 'logit' : { operand: number }),
  /** x within [low, high]. */
  clip: (x: Formula, low: number, high: number): Formula => f.min(high, f.max(low, x)),
  /** log(1+e^x), exact to the last bits in Float32 too, far below 0 as well. */
  softplus: (x: Formula): Formula => {
    const magnitude = f.max(x, f.subtract(0, x));
    return f.add(f.max(x, 0), logOnePlus(f.exp(f.subtract(0, magnitude))));
  },
  /** φ(x)/Φ(x) of the standard normal distribution, relative error under 2e-6 in Float32, far below 0 as well. */
  normalHazard: (x: Formula): Formula => {
    const magnitude = f.max(x, f.subtract(0, x));
    const scaled = scaledErrorComplement(f.multiply(magnitude, Math.SQRT1_2));
    const bell = f.exp(f.multiply(-0.5, f.multiply(x, x)));
    const above = f.subtract(1, f.multiply(0.5, f.multiply(scaled, bell)));
    return f.pick(
      x,
      0,
      f.divide(f.multiply(1 / Math.sqrt(2 * Math.PI), bell), above),
      f.divide(Math.sqrt(2 / Math.PI), scaled),
    );
  },
};

/** log(1+x) for x ≥ 0: log(w)·x/(w−1) with w = 1+x as rounded. Source: Goldberg 1991, Theorem 4. */
function logOnePlus(x: Formula): Formula {
  const rounded = f.add(1, x);
  return f.pick(rounded, 1, f.divide(f.multiply(f.log(rounded), x), f.subtract(rounded, 1)), x);
}

/** e^(z²)·erfc(z) for z ≥ 0, relative error 1.2e-7. Source: Press et al., Numerical Recipes, §6.2 (a Chebyshev fit). */
function scaledErrorComplement(z: Formula): Formula {
  const t = f.divide(1, f.add(1, f.multiply(0.5, z)));
  const exponent = CHEBYSHEV.reduceRight<Formula>((sum, c) => f.add(c, f.multiply(t, sum)), 0);
  return f.multiply(t, f.exp(exponent));
}

const CHEBYSHEV = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];

/** What the units of whole rows emit, for neurons with `settle`. */
export interface RowFormula {
  /** Who is open: all; those whose logit, selection bias added, is over a number; or the `opens` largest of those sums. */
  readonly keep: 'all' | 'largest' | { readonly over: number };
  /**
   * What open units emit: a formula, or the softmax over the open units of one (then at least LEAST_OPEN). The selection
   * bias is in neither. Closed units emit 0.
   */
  readonly value: Formula | { readonly softmax: Formula };
}

/** The deterministic forms of a neuron. */
export interface Formulas {
  /** Of `expect`; default σ(a). */
  readonly expect?: Formula;
  /** Of `whenOpen`; default 1. */
  readonly whenOpen?: Formula;
  /** Of `settle`. */
  readonly settle?: RowFormula;
}

/** The value of a formula at a logit, or at several operands. */
export function evaluateFormula(formula: Formula, ...operands: readonly number[]): number {
  if (formula === 'logit') return operands[0];
  if (typeof formula === 'number') return formula;
  if ('operand' in formula) return operands[formula.operand];
  const evaluate: (...numbers: number[]) => number = operations[formula.operation];
  return evaluate(...formula.of.map((part) => evaluateFormula(part, ...operands)));
}

/** The operands that a formula reads, by their numbers. */
export function operandsOf(formula: Formula): ReadonlySet<number> {
  const read = new Set<number>();
  const visit = (part: Formula): void => {
    if (part === 'logit') read.add(0);
    else if (typeof part === 'object' && 'operand' in part) read.add(part.operand);
    else if (typeof part === 'object') part.of.forEach(visit);
  };
  visit(formula);
  return read;
}
