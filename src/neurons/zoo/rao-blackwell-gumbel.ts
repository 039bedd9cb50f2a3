import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, bit } from '../parts/bernoulli.ts';
import { relaxedGiven } from '../parts/relaxed-bits.ts';
import { temperature } from './concrete.ts';

export const raoBlackwellGumbel = defineNeuron({
  name: 'rao-blackwell-gumbel',
  source:
    'Paulus, Maddison, Krause 2021, "Rao-Blackwellizing the Straight-Through Gumbel-Softmax Gradient Estimator", §3',
  summary: 'h = 1[u < p], p = σ(a); ĝ = δ·mean_k s_k(1 − s_k)/τ, s_k = σ((a + z_k)/τ), K logistic numbers z_k given h',
  options: {
    temperature,
    K: { minimum: 1, maximum: 1000, default: 10, whole: true, meaning: 'relaxations that the backward pass averages' },
  },
  rule: ({ temperature, K }) => ({
    ...bernoulli,
    noise: K + 1,
    reads: 'cotangent',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit, index) => (index === 0 ? [sigmoid(logit)] : []),
    fire({ logits, noise, h }) {
      for (let i = 0; i < h.length; i++) h[i] = bit(logits[i], noise[i * (K + 1)]);
    },
    pullback({ logits, noise, h, dh, gradient }) {
      for (let i = 0; i < h.length; i++) {
        let slopes = 0;
        for (let at = i * (K + 1) + 1; at < (i + 1) * (K + 1); at++)
          slopes += sigmoidSlope(relaxedGiven(h[i], logits[i], noise[at]) / temperature);
        gradient[i] = (dh[i] * slopes) / (K * temperature);
      }
    },
    twin: {
      fire: 'fireFirstBernoulli',
      pullback: 'pullbackRaoBlackwell',
      expect: 'fireSigmoid',
      numbers: [temperature, K],
    },
  }),
});
