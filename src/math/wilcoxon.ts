/**
 * Wilcoxon's signed-rank test of paired differences, exact for any ties.
 * Source: Wilcoxon 1945; zeros are left out, equal sizes share their mean rank, and the distribution is counted over all 2ⁿ signs.
 * @param differences one a pair; infinite ones rank highest, NaN counts as 0
 * @returns P(W ≥ w): small when the differences tend to be over 0; 1 where no pair differs
 */
export function signedRankTail(differences: readonly number[]): number {
  const nonZero = differences.filter((x) => x !== 0 && !Number.isNaN(x));
  const sorted = [...nonZero].sort((a, b) => Math.abs(a) - Math.abs(b));
  // Twice the rank, so that shared ranks are whole numbers.
  const ranks = sorted.map((x) => {
    const first = sorted.findIndex((y) => Math.abs(y) === Math.abs(x));
    const last = sorted.findLastIndex((y) => Math.abs(y) === Math.abs(x));
    return first + last + 2;
  });
  const observed = ranks.reduce((sum, rank, i) => sum + (sorted[i] > 0 ? rank : 0), 0);
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  // Share of sign patterns with each sum.
  const shares = new Float64Array(total + 1);
  shares[0] = 1;
  for (const rank of ranks)
    for (let sum = total; sum >= 0; sum--) shares[sum] = (shares[sum] + (sum >= rank ? shares[sum - rank] : 0)) / 2;
  return shares.subarray(observed).reduce((sum, share) => sum + share, 0);
}
