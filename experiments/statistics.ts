/** Means with intervals, for the tables of experiments. */

/** Two-sided 95% quantiles of Student's t, for 1, 2, 3, … degrees of freedom. See the test. */
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086,
];
const NORMAL95 = 1.96;

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
  return { mean, half: ((T95[count - 2] ?? NORMAL95) * deviation) / Math.sqrt(count), count };
}

/** The interval of a − b, pair by pair. */
export function paired(a: readonly number[], b: readonly number[]): Interval {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} numbers are no pairs.`);
  return interval(a.map((x, i) => x - b[i]));
}

/** What a difference of errors or losses shows: `better` where all of its interval is under 0. */
export function verdict({ mean, half }: Interval): 'better' | 'worse' | 'not shown' {
  if (mean + half < 0) return 'better';
  return mean - half > 0 ? 'worse' : 'not shown';
}

/** A mean and its half, as text; the mean alone where there is no half. */
export const withHalf = ({ mean, half }: Interval, show: (x: number) => string): string =>
  Number.isNaN(half) ? show(mean) : `${show(mean)} ± ${show(half)}`;
