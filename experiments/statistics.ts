/** Means with intervals, for the tables of experiments. */
import { studentQuantile } from '../src/index.ts';

/** Two-sided 95% quantiles of Student's t that have been asked for, by degrees of freedom. */
const known = new Map<number, number>();

/** NaN without a degree of freedom. */
function t95(freedom: number): number {
  const t = known.get(freedom) ?? (freedom > 0 ? studentQuantile(0.975, freedom) : Number.NaN);
  known.set(freedom, t);
  return t;
}

/** Where the best epoch is on average after this share of all, more of them might have been better. */
export const LATE = 0.9;

/** A mean and half the width of its 95% interval (Student's t); the half is NaN for a single number. */
export interface Interval {
  readonly mean: number;
  readonly half: number;
  readonly count: number;
}

export function interval(values: readonly number[]): Interval {
  const count = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / count;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (count - 1));
  return { mean, half: (t95(count - 1) * deviation) / Math.sqrt(count), count };
}

/** The interval of a − b, pair by pair. */
export function paired(a: readonly number[], b: readonly number[]): Interval {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} numbers are no pairs.`);
  return interval(a.map((x, i) => x - b[i]));
}

/** How large a part is of a whole, and its 95% interval; `low` and `high` are infinite where the whole may be 0. */
export interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The mean of one quantity over the mean of another, pair by pair, with Fieller's interval: all ratios r for which the mean of part − r·whole
 * may be 0. It holds the true ratio 95 times in 100, whatever the correlation, which a mean of ratios would not.
 * Source: Fieller 1954, Some problems in interval estimation.
 */
export function shareOf(part: readonly number[], whole: readonly number[]): Share {
  if (part.length !== whole.length) throw new RangeError(`${part.length} and ${whole.length} numbers are no pairs.`);
  const count = part.length;
  const [a, b] = [interval(part), interval(whole)];
  const value = a.mean / b.mean;
  const none = { value, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  if (count < 2) return none;
  const products = part.reduce((sum, x, i) => sum + (x - a.mean) * (whole[i] - b.mean), 0);
  const both = (t95(count - 1) ** 2 * products) / (count * (count - 1));
  // The ratios r with (a − r·b)² ≤ t²·Var(a − r·b): a quadratic in r.
  const [p, q, r] = [b.mean ** 2 - b.half ** 2, a.mean * b.mean - both, a.mean ** 2 - a.half ** 2];
  if (p <= 0) return none;
  const reach = Math.sqrt(Math.max(0, q * q - p * r));
  return { value, low: (q - reach) / p, high: (q + reach) / p };
}

/** What a difference of errors or losses shows: `better` where all of its interval is under 0. */
export function verdict({ mean, half }: Interval): 'better' | 'worse' | 'not shown' {
  if (mean + half < 0) return 'better';
  return mean - half > 0 ? 'worse' : 'not shown';
}

/** Is the true mean within a tolerance of a figure? By the whole interval: the figure’s neighbourhood holds all of it, or none. */
export function near({ mean, half }: Interval, figure: number, tolerance: number): 'holds' | 'refuted' | 'not shown' {
  const distance = Math.abs(mean - figure);
  if (distance + half <= tolerance) return 'holds';
  return distance - half > tolerance ? 'refuted' : 'not shown';
}

/** A mean and its half, as text; the mean alone where there is no half. */
export const withHalf = ({ mean, half }: Interval, show: (x: number) => string): string =>
  Number.isNaN(half) ? show(mean) : `${show(mean)} ± ${show(half)}`;
