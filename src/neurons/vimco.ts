import { sigmoid } from '../math/special.ts';
import { bernoulli, fireBits } from './bernoulli.ts';
import { defineNeuron, type Weighing } from './contract.ts';

/** log of the mean of exp(x[k]). */
function logMeanExp(x: Float64Array): number {
  const most = x.reduce((a, b) => Math.max(a, b));
  return most + Math.log(x.reduce((sum, value) => sum + Math.exp(value - most), 0) / x.length);
}

/** The bound, and the share of each draw in it: the weights are ∂bound/∂loss. */
function bound({ rows, loss, weights, total }: Weighing): void {
  const logs = new Float64Array(loss.length / rows);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < logs.length; k++) logs[k] = -loss[k * rows + row];
    const log = logMeanExp(logs);
    total[row] = -log;
    for (let k = 0; k < logs.length; k++) weights[k * rows + row] = Math.exp(logs[k] - log) / logs.length;
  }
}

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
    weigh: bound,
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
