/** Means with intervals, for the tables of experiments. */
import {
  type MeanInterval as Interval,
  meanInterval as interval,
  studentCdf,
  studentQuantile,
} from '../../src/index.ts';
import { holm } from './bootstrap.ts';

export { type Interval, interval };

export const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** The two-sided 95% quantile of Student's t; NaN without a degree of freedom. */
export const t95 = (freedom: number): number => (freedom > 0 ? studentQuantile(0.975, freedom) : Number.NaN);

/** Where the best epoch is on average after this share of all, more of them might have been better. */
export const LATE = 0.9;

/** A difference, and how often one as large would be seen were there none; p is NaN where there is no interval. */
export interface Compared extends Interval {
  readonly p: number;
}

/** @param error the standard error of the mean @param freedom its degrees of freedom; 0 for none */
export function compared(mean: number, error: number, freedom: number, count: number): Compared {
  if (freedom === 0 || Number.isNaN(error)) return { mean, half: Number.NaN, count, p: Number.NaN };
  const p = error > 0 ? 2 * studentCdf(-Math.abs(mean) / error, freedom) : Number(mean === 0);
  return { mean, half: t95(freedom) * error, count, p };
}

/** The interval of a − b, pair by pair. */
export function paired(a: readonly number[], b: readonly number[]): Compared {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} numbers are no pairs.`);
  const { mean, half, count } = interval(a.map((x, i) => x - b[i]));
  return compared(mean, half / t95(count - 1), count > 1 ? count - 1 : 0, count);
}

/** The interval of log a − log b, pair by pair: of the geometric mean of ratios. */
export const pairedRatio = (a: readonly number[], b: readonly number[]): Compared =>
  paired(a.map(Math.log), b.map(Math.log));

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

export type Verdict = 'better' | 'worse' | 'not shown';

/** What a difference of errors or losses shows: `better` where all of its interval is under 0. */
export function verdict({ mean, half }: Interval): Verdict {
  if (mean + half < 0) return 'better';
  return mean - half > 0 ? 'worse' : 'not shown';
}

/** A difference with what it shows among the others of its family: p corrected for how many there are, and the verdict by that. */
export interface Judged extends Compared {
  readonly of: number;
  readonly verdict: Verdict;
}

/**
 * What several differences show together: where there is nothing in any of them, all are `not shown` 95 times in 100.
 * Differences without an interval count for nothing.
 * Source: Holm 1979.
 */
export function judge(family: readonly Compared[]): Judged[] {
  const corrected = holm(family.map(({ p }) => p));
  const of = corrected.filter((p) => !Number.isNaN(p)).length;
  return family.map((own, i) => {
    const p = corrected[i];
    const shown = p < 0.05 ? (own.mean < 0 ? 'better' : 'worse') : 'not shown';
    return { ...own, p, of, verdict: shown };
  });
}

/** A corrected p in words, for a table; nothing where there is none. */
export const briefP = ({ p }: Pick<Judged, 'p'>): string =>
  Number.isNaN(p) ? '' : p < 0.0001 ? ', p < 0.0001' : `, p = ${p.toPrecision(2)}`;

/** The same with the size of its family. */
export const inP = (own: Judged): string => `${briefP(own)}${own.of > 1 ? ` (Holm, of ${own.of})` : ''}`;

/**
 * Does a figure that was published of one run agree with one more run of ours? `holds` only where that is told within a tolerance: an
 * interval that is wider than its tolerance reproduces nothing.
 * @param single where one more run lies, 95 times in 100
 */
export function agrees({ mean, half }: Interval, figure: number, tolerance: number): 'holds' | 'refuted' | 'not shown' {
  if (Math.abs(mean - figure) > half) return 'refuted';
  return half <= tolerance ? 'holds' : 'not shown';
}

/** Is the true mean within a tolerance of a figure? By the whole interval: the figure’s neighbourhood holds all of it, or none. */
export function near({ mean, half }: Interval, figure: number, tolerance: number): 'holds' | 'refuted' | 'not shown' {
  const distance = Math.abs(mean - figure);
  if (distance + half <= tolerance) return 'holds';
  return distance - half > tolerance ? 'refuted' : 'not shown';
}

/** Where one more number of the same kind lies, 95 times in 100. */
export function another(values: readonly number[]): Interval {
  const { mean, half, count } = interval(values);
  return { mean, half: half * Math.sqrt(count + 1), count };
}

/** How many of a family came out which way. */
export function tally(judged: readonly Judged[]): Readonly<Record<Verdict, number>> {
  const of = (is: Verdict): number => judged.filter((own) => own.verdict === is).length;
  return { better: of('better'), worse: of('worse'), 'not shown': of('not shown') };
}

/** A mean and its half, as text; the mean alone where there is no half. */
export const withHalf = ({ mean, half }: Interval, show: (x: number) => string): string =>
  Number.isNaN(half) ? show(mean) : `${show(mean)} ± ${show(half)}`;

/** A geometric mean with its interval, of logarithms. */
export function geometric({ mean, half }: Interval, show: (x: number) => string): string {
  const [low, middle, high] = [mean - half, mean, mean + half].map((log) => show(Math.exp(log)));
  return Number.isNaN(half) ? middle : `${middle} (${low} to ${high})`;
}

/** The geometric mean of ratios with its interval, of their logarithms. */
export const withFactor = (own: Interval, digits = 2): string => `× ${geometric(own, (x) => x.toFixed(digits))}`;
