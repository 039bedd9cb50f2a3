import { normalCdf } from '../../src/index.ts';

/** Step and end of the sum over z; the summand falls as e^(−z²/2), so that the sum is exact to rounding. */
const STEP = 0.1;
const END = 8.5;
/** The sum over log s leaves out what is under e^−NEGLIGIBLE of the largest summand. */
const NEGLIGIBLE = 36;

/** As near as a quantile comes, in q or in its probability. */
const CLOSE = 1e-9;

/** Places z with φ(z) and Φ(z). */
const PLACES = Array.from({ length: Math.round((2 * END) / STEP) + 1 }, (_, i) => {
  const z = i * STEP - END;
  return { z, density: Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI), below: normalCdf(z) };
});

/** P(range of so many standard normal numbers ≤ width) = k ∫ φ(z)·(Φ(z) − Φ(z − width))^(k−1) dz. */
function rangeCdf(width: number, count: number): number {
  let sum = 0;
  for (const { z, density, below } of PLACES) sum += density * (below - normalCdf(z - width)) ** (count - 1);
  return Math.min(1, count * STEP * sum);
}

/**
 * P(Q ≤ q) of the studentized range: the range of `count` normal numbers over an independent estimate s of their deviation with
 * `freedom` degrees of freedom. The mean of P(range ≤ q·s) over s, whose density in log s is ∝ (s·e^(−s²/2))^freedom.
 * Source: Tukey 1953; Copenhaver and Holland 1988.
 */
export function studentizedRangeCdf(q: number, count: number, freedom: number): number {
  if (q <= 0) return 0;
  const step = Math.min(0.15, 0.4 / Math.sqrt(freedom));
  const weight = (log: number): number => freedom * (log + 0.5 * (1 - Math.exp(2 * log)));
  let [sum, weights] = [0, 0];
  for (const direction of [1, -1])
    for (let i = direction === 1 ? 0 : 1; weight(direction * i * step) > -NEGLIGIBLE; i++) {
      const log = direction * i * step;
      const own = Math.exp(weight(log));
      weights += own;
      sum += own * rangeCdf(q * Math.exp(log), count);
    }
  return sum / weights;
}

/** Quantiles that have been asked for: a report asks for one of them at every comparison. */
const known = new Map<string, number>();

/**
 * The q with P(Q ≤ q) = p, by false position with the Illinois rule (Dowell and Jarratt 1971): a third of the steps of a bisection.
 * @param count of what is compared, from 2 up
 * @throws RangeError for p outside (0, 1), fewer than 2 numbers, or no degree of freedom
 */
export function studentizedRangeQuantile(p: number, count: number, freedom: number): number {
  if (!(p > 0 && p < 1) || !(count >= 2) || !(freedom > 0))
    throw new RangeError(
      `The studentized range has no quantile ${p} of ${count} numbers with ${freedom} degrees of freedom. Expected a share between 0 and 1, two numbers or more, and a degree of freedom.`,
    );
  const key = `${p} ${count} ${freedom}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const over = (q: number): number => studentizedRangeCdf(q, count, freedom) - p;
  let [low, high] = [0, 4];
  let [below, above] = [-p, over(high)];
  while (above < 0) [low, high, below, above] = [high, 2 * high, above, over(2 * high)];
  let last = 0;
  for (let i = 0; i < 60 && high - low > CLOSE; i++) {
    const q = (low * above - high * below) / (above - below);
    const value = over(q);
    const side = Math.sign(value);
    if (Math.abs(value) < CLOSE) [low, high] = [q, q];
    else if (side < 0) [low, below, above] = [q, value, last === side ? above / 2 : above];
    else [high, above, below] = [q, value, last === side ? below / 2 : below];
    last = side;
  }
  const quantile = (low + high) / 2;
  known.set(key, quantile);
  return quantile;
}
