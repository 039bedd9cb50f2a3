import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalQuantile } from '../../src/math/special.ts';
import { studentCdf, studentQuantile } from '../../src/math/student.ts';

test('Student’s distribution with one and two degrees of freedom has closed forms', () => {
  for (const t of [-1e3, -7, -1, -0.01, 0, 0.2, 1.7, 40]) {
    assert.ok(Math.abs(studentCdf(t, 1) - (0.5 + Math.atan(t) / Math.PI)) < 1e-12, `${t}`);
    assert.ok(Math.abs(studentCdf(t, 2) - (0.5 + t / (2 * Math.sqrt(2 + t * t)))) < 1e-12, `${t}`);
  }
});

test('quantiles are those of the tables, invert the distribution, and go over into the normal ones', () => {
  for (const [freedom, t] of [
    [1, 12.7062],
    [2, 4.30265],
    [4, 2.77645],
    [9, 2.26216],
    [30, 2.04227],
  ])
    assert.ok(Math.abs(studentQuantile(0.975, freedom) - t) < 1e-5, `${freedom}`);
  for (const p of [1e-7, 0.01, 0.5, 0.8, 1 - 1e-6])
    for (const freedom of [1, 3, 47])
      assert.ok(Math.abs(studentCdf(studentQuantile(p, freedom), freedom) / p - 1) < 1e-9);
  assert.ok(Math.abs(studentQuantile(0.001, 1e6) - normalQuantile(0.001)) < 1e-4);
  assert.throws(() => studentQuantile(0, 3), /no quantile 0/);
  assert.throws(() => studentQuantile(0.5, 0), /0 degrees/);
});
