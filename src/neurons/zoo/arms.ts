import { sigmoid } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { antitheticFactor, countedCells, fireCounted } from '../parts/antithetic-counts.ts';
import { bernoulli, pullEach, unbiasedBits } from '../parts/bernoulli.ts';

// The paper draws shares of a Dirichlet vector and cuts them. Here it is drawn how many are cut, then which: the same joint
// distribution, from numbers that are used in whole cells.
export const arms = defineNeuron({
  name: 'arms',
  source:
    'Dimitriev, Zhou 2021, "ARMS: antithetic-REINFORCE-multi-sample gradient for binary variables", §3, Algorithm 1, Dirichlet copula',
  summary:
    'h = K antithetic bits of probability p = σ(a); ĝ = Σ_k (f_k − mean f)·h_k/((K − 1)(1 − ρ)), ρ the correlation of two of them',
  options: { K: { minimum: 2, maximum: 16, default: 4, whole: true, meaning: 'antithetic draws' } },
  rule: ({ K }) => ({
    ...bernoulli,
    noise: K,
    draws: K,
    reads: 'loss',
    claims: unbiasedBits,
    cells: (logit, index, before) => [sigmoid(logit), ...countedCells(logit, index, before, K)],
    fire: (firing) => fireCounted(firing, K),
    pullback(pullback) {
      const { rows, logits, h, loss } = pullback;
      const means = Float64Array.from({ length: rows }, (_, row) => {
        let sum = 0;
        for (let draw = 0; draw < K; draw++) sum += loss[draw * rows + row];
        return sum / K;
      });
      pullEach(pullback, (row, i) => {
        let sum = 0;
        for (let draw = 0; draw < K; draw++)
          sum += (loss[draw * rows + row] - means[row]) * h[draw * logits.length + i];
        return (sum * antitheticFactor(logits[i], K)) / (K - 1);
      });
    },
  }),
});
