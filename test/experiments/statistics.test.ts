import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interval, near, paired, shareOf, verdict } from '../../experiments/statistics.ts';
import { randomStream } from '../../src/random/stream.ts';

test('a mean and its interval, by hand', () => {
  // Deviations −1, 0, 1: standard deviation 1, standard error 1/√3, t for two degrees of freedom, in closed form, 4.303.
  const { mean, half, count } = interval([1, 2, 3]);
  assert.deepEqual([mean, count], [2, 3]);
  const t = 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2));
  assert.ok(Math.abs(half - t / Math.sqrt(3)) < 1e-12);
  assert.ok(Number.isNaN(interval([5]).half));
});

test('an interval is as wide as a printed table of Student’s t says, for few numbers and for many', () => {
  for (const [freedom, quantile] of [
    [1, 12.7062],
    [4, 2.7764],
    [20, 2.086],
    [21, 2.0796],
    [60, 2.0003],
  ]) {
    const values = Array.from({ length: freedom + 1 }, (_, i) => i);
    const { mean, half } = interval(values);
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / freedom);
    assert.ok(Math.abs((half * Math.sqrt(freedom + 1)) / deviation - quantile) < 5e-4, `${freedom}`);
  }
});

test('intervals of normal numbers hold their mean 95 times in 100, for every count', () => {
  for (const count of [2, 3, 5, 8, 21, 40]) {
    const random = randomStream(11, count);
    const trials = 4000;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const { mean, half } = interval(Array.from({ length: count }, () => random.normal()));
      if (Math.abs(mean) <= half) held++;
    }
    // Four and a half standard errors of a share of 4,000.
    assert.ok(Math.abs(held / trials - 0.95) < 4.5 * Math.sqrt((0.95 * 0.05) / trials), `${count}: ${held / trials}`);
  }
});

test('paired differences say which way they point, or nothing', () => {
  assert.equal(verdict(paired([1, 2, 3, 4], [2, 3.1, 4, 5])), 'better');
  assert.equal(verdict(paired([2, 3.1, 4, 5], [1, 2, 3, 4])), 'worse');
  assert.equal(verdict(paired([1, 2, 3], [2, 1, 3])), 'not shown');
  assert.equal(verdict(paired([1], [2])), 'not shown');
  assert.throws(() => paired([1], []), RangeError);
});

test('a mean is near a figure, or is not, by its whole interval', () => {
  const at = (mean: number, half: number) => near({ mean, half, count: 3 }, 2, 0.25);
  assert.equal(at(2.1, 0.1), 'holds');
  assert.equal(at(2.1, 0.2), 'not shown');
  assert.equal(at(1.5, 0.3), 'not shown');
  assert.equal(at(1.5, 0.2), 'refuted');
  assert.equal(at(2, Number.NaN), 'not shown');
});

test('a share of means holds the true one 95 times in 100, and says nothing where the whole may be 0', () => {
  const trials = 4000;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const random = randomStream(12, trial);
    const whole = Array.from({ length: 5 }, () => 3 + random.normal());
    const { low, high } = shareOf(
      whole.map((x) => 0.4 * x + 0.3 * random.normal()),
      whole,
    );
    if (low <= 0.4 && high >= 0.4) held++;
  }
  assert.ok(Math.abs(held / trials - 0.95) < 4.5 * Math.sqrt((0.95 * 0.05) / trials), `${held / trials}`);
  // By hand: part is half of the whole in every pair.
  const { value, low, high } = shareOf([10, 11, 12], [20, 22, 24]);
  for (const x of [value, low, high]) assert.ok(Math.abs(x - 0.5) < 1e-6, `${x}`);
  assert.equal(shareOf([1, 2, 3], [-1, 0, 1]).high, Number.POSITIVE_INFINITY);
  assert.equal(shareOf([1], [2]).low, Number.NEGATIVE_INFINITY);
  assert.throws(() => shareOf([1], []), RangeError);
});
