import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedRankTail } from '../../src/math/wilcoxon.ts';

/** The definition: the share of all sign patterns whose sum of ranks is at least the observed one. */
function byCounting(differences: readonly number[]): number {
  const sizes = differences.filter((x) => x !== 0).map(Math.abs);
  const rank = (x: number): number => sizes.filter((y) => y < x).length + (sizes.filter((y) => y === x).length + 1) / 2;
  const ranks = sizes.map(rank);
  const sum = (signs: number): number => ranks.reduce((total, r, i) => total + ((signs >> i) & 1 ? r : 0), 0);
  const positive = differences.filter((x) => x !== 0).reduce((bits, x, i) => bits | (Number(x > 0) << i), 0);
  let count = 0;
  for (let signs = 0; signs < 2 ** ranks.length; signs++) if (sum(signs) >= sum(positive)) count++;
  return count / 2 ** ranks.length;
}

describe("Wilcoxon's signed-rank test", () => {
  it('is exact, with ties and zeros', () => {
    for (const differences of [
      [1, 2, 3],
      [1, -1, 2, 2, -3, 0, 0.5],
      [-1, -2, -3, -4],
      [0.3, 0.3, -0.3, 0.3, 5, -0.1],
      [7],
      [2, 2, 2, 2, 2, -2, 2, 2, 1],
    ])
      assert.ok(Math.abs(signedRankTail(differences) - byCounting(differences)) < 1e-12, differences.join(' '));
  });

  it('knows published values', () => {
    // Five pairs, all of one sign: 1/32. Ten pairs with a sum of negative ranks of 8: 25/1024 (Wilcoxon's table).
    assert.equal(signedRankTail([1, 2, 3, 4, 5]), 1 / 32);
    assert.ok(Math.abs(signedRankTail([1, 2, 3, 4, 5, 6, 7, -8, 9, 10]) - 25 / 1024) < 1e-12);
  });

  it('shows nothing without differences, ranks infinite ones highest, and takes many pairs', () => {
    assert.equal(signedRankTail([0, 0, Number.NaN]), 1);
    assert.equal(signedRankTail([]), 1);
    assert.equal(signedRankTail([1, 2, Number.POSITIVE_INFINITY]), 1 / 8);
    const even = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    assert.ok(Math.abs(signedRankTail(even) - 0.5) < 0.05);
  });
});
