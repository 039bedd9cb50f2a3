import { sigmoid } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, fireBits } from '../parts/bernoulli.ts';
import { logMeanExp, weighBound } from '../parts/many-sample-bound.ts';

export const vimco = defineNeuron({
  name: 'vimco',
  source: 'Mnih, Rezende 2016, "Variational inference for Monte Carlo objectives", Eq. 5–8, geometric mean',
  summary:
    'h = 1[u < σ(a)], K draws, F = −log mean exp(−f); ĝ = Σ_k (F − F with f_k at the mean of the others)(h_k − σ(a))',
  options: { K: { minimum: 2, maximum: 64, default: 5, whole: true, meaning: 'independent draws in the bound' } },
  rule: ({ K }) => ({
    ...bernoulli,
    noise: K,
    draws: K,
    wantsLogWeights: true,
    reads: 'loss',
    claims: { unbiased: false, unbiasedRelaxation: true, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    weigh: weighBound,
    fire: fireBits,
    pullback({ rows, units, logits, h, loss, gradient }) {
      const [logs, signals] = [new Float64Array(K), new Float64Array(K)];
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < K; k++) logs[k] = -loss[k * rows + row];
        const log = logMeanExp(logs);
        const sum = logs.reduce((a, b) => a + b);
        for (let k = 0; k < K; k++) signals[k] = logMeanExp(logs.with(k, (sum - logs[k]) / (K - 1))) - log;
        for (let i = row * units; i < (row + 1) * units; i++) {
          const p = sigmoid(logits[i]);
          gradient[i] = signals.reduce((total, signal, k) => total + signal * (h[k * rows * units + i] - p), 0);
        }
      }
    },
  }),
});
