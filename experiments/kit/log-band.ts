import { interval } from './statistics.ts';

/**
 * A point of a chart with a logarithmic axis: the geometric mean of positive numbers, and its 95% interval by their logarithms;
 * the mean alone for a single number.
 */
export function logBand(x: number, values: readonly number[]): { x: number; y: number; low: number; high: number } {
  const { mean, half } = interval(values.map(Math.log));
  const band = Number.isNaN(half) ? 0 : half;
  return { x, y: Math.exp(mean), low: Math.exp(mean - band), high: Math.exp(mean + band) };
}
