import { defineNeuron } from '../contract.ts';
import { addJacobian, classes, fireOneHot, oneHot, pullGroups, relaxGiven } from '../parts/one-hot.ts';
import { temperature } from './concrete.ts';

export const categoricalRaoBlackwellGumbel = defineNeuron({
  name: 'categorical-rao-blackwell-gumbel',
  source:
    'Paulus, Maddison, Krause 2021, "Rao-Blackwellizing the Straight-Through Gumbel-Softmax Gradient Estimator", §3',
  summary:
    'h = one of `classes` units by softmax(a); ĝ = mean_k (diag s_k − s_k·s_kᵀ)·δ/τ, s_k = softmax((a + G_k)/τ), Gumbel G_k given h',
  options: {
    classes,
    temperature,
    K: { minimum: 1, maximum: 1000, default: 10, whole: true, meaning: 'relaxations that the backward pass averages' },
  },
  rule: ({ classes, temperature, K }) => ({
    ...oneHot(classes),
    noise: K + 1,
    reads: 'cotangent',
    claims: { unbiased: false },
    fire: (firing) => fireOneHot(firing, classes),
    pullback(pullback) {
      const { h, noise } = pullback;
      pullGroups(pullback, classes, (first, size, p) => {
        const k = Math.max(0, h.subarray(first, first + size).indexOf(1));
        for (let number = 1; number <= K; number++) {
          const s = relaxGiven(k, p, (i) => noise[(first + i) * (K + 1) + number], temperature);
          addJacobian(s, pullback, first, 1 / (K * temperature));
        }
      });
    },
  }),
});
