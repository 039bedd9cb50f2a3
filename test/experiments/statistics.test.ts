import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interval, paired, verdict } from '../../experiments/statistics.ts';
import { randomStream } from '../../src/random/stream.ts';

test('a mean and its interval, by hand', () => {
  // Deviations −1, 0, 1: standard deviation 1, standard error 1/√3, t for two degrees of freedom 4.303.
  const { mean, half, count } = interval([1, 2, 3]);
  assert.deepEqual([mean, count], [2, 3]);
  assert.ok(Math.abs(half - 4.303 / Math.sqrt(3)) < 1e-12);
  assert.ok(Number.isNaN(interval([5]).half));
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
