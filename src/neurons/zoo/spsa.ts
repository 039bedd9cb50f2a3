import { sigmoid } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, bit, pullEach } from '../parts/bernoulli.ts';

const signOf = (noise: number): number => (noise < 0.5 ? -1 : 1);

export const spsa = defineNeuron({
  name: 'spsa',
  source:
    'Spall 1992, "Multivariate stochastic approximation using a simultaneous perturbation gradient approximation", §II, on the logits',
  summary: 'h = 1[u < σ(a ± cz)], z = ±1, the same u and z in both; ĝ = (f(h⁺) − f(h⁻))/(2cz), unbiased as c → 0',
  options: {
    c: { minimum: 1e-3, maximum: 10, default: 0.5, meaning: 'c: how far the logits are moved to both sides' },
  },
  rule: ({ c }) => ({
    ...bernoulli,
    noise: 2,
    draws: 2,
    reads: 'loss',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit, index) => (index === 0 ? [-c, 0, c].map((step) => sigmoid(logit + step)) : [0.5]),
    fire({ logits, noise, h }) {
      for (let i = 0; i < logits.length; i++) {
        const step = c * signOf(noise[2 * i + 1]);
        h[i] = bit(logits[i] + step, noise[2 * i]);
        h[logits.length + i] = bit(logits[i] - step, noise[2 * i]);
      }
    },
    pullback(pullback) {
      const { rows, noise, loss } = pullback;
      pullEach(pullback, (row, i) => (loss[row] - loss[rows + row]) / (2 * c * signOf(noise[2 * i + 1])));
    },
  }),
});
