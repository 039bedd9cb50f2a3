import { sigmoid, sigmoidSlope } from '../math/special.ts';
import { bernoulli, bit, pullEach, unbiasedBits } from './bernoulli.ts';
import { defineNeuron } from './contract.ts';
import { firstDraw } from './first-draw.ts';

// The mean-field pass is the second draw.
export const muprop = defineNeuron({
  name: 'muprop',
  source: 'Gu, Levine, Sutskever, Mnih 2016, "MuProp", §3.1, Eq. 8, without further baselines',
  summary: 'h = 1[u < p], p = σ(a); ĝ = (h − p)(f(h) − f(p) − f′(p)·(h − p)) + f′(p)·p(1 − p)',
  options: {},
  rule: () => ({
    ...bernoulli,
    noise: 1,
    draws: 2,
    reads: 'both',
    claims: unbiasedBits,
    cells: (logit) => [sigmoid(logit)],
    weigh: firstDraw,
    fire({ logits, noise, h }) {
      const size = logits.length;
      for (let i = 0; i < size; i++) {
        h[i] = bit(logits[i], noise[i]);
        h[size + i] = sigmoid(logits[i]);
      }
    },
    pullback(pullback) {
      const { rows, units, logits, h, loss, dh } = pullback;
      const size = logits.length;
      const linear = Float64Array.from({ length: rows }, (_, row) => {
        let sum = loss[rows + row];
        for (let i = row * units; i < (row + 1) * units; i++) sum += dh[size + i] * (h[i] - h[size + i]);
        return sum;
      });
      pullEach(pullback, (row, i) => {
        const score = h[i] - h[size + i];
        return score * (loss[row] - linear[row]) + dh[size + i] * sigmoidSlope(logits[i]);
      });
    },
  }),
});
