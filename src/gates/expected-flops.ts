import { ofMeans, type SparsityPenalty } from './penalty.ts';

/**
 * Verelst and Tuytelaars take the square of the difference; here it is its absolute value, as in L_b and L_e of E. Bengio et
 * al. 2015, so that the pull does not fade near the budget.
 */
export const expectedFlops: SparsityPenalty = {
  name: 'expected-flops',
  source:
    'Verelst, Tuytelaars 2020, "Dynamic Convolutions", sparsity criterion of the network: share of FLOPs and a budget',
  summary: '|Σ_k c_k·r_k / Σ_k c_k − τ|, r_k the batch mean of P(h_k ≠ 0), c_k the multiply-adds of block k',
  on: 'opening',
  defaultWeight: () => 1,
  ...ofMeans((means, target, costs) => {
    const shares = means.map((_, k) => costs?.[k] ?? 1);
    const dense = shares.reduce((sum, cost) => sum + cost, 0);
    const excess = means.reduce((sum, mean, k) => sum + (shares[k] * mean) / dense, -target);
    return { value: Math.abs(excess), slopes: shares.map((cost) => (Math.sign(excess) * cost) / dense) };
  }),
};
