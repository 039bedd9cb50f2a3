import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, bit, pullEach, unbiasedBits } from '../parts/bernoulli.ts';
import { firstDraw } from '../parts/first-draw.ts';

export const localExpectation = defineNeuron({
  name: 'local-expectation',
  source: 'Titsias, Lázaro-Gredilla 2015, "Local expectation gradients for black box variational inference", §3, Eq. 8',
  summary:
    'h = 1[u < p], p = σ(a), and h with each unit flipped by itself; ĝ = p(1 − p)(f(h with h_i = 1) − f(h with h_i = 0))',
  options: {},
  rule: () => ({
    ...bernoulli,
    noise: 1,
    draws: (units) => units + 1,
    comparesRows: true,
    reads: 'loss',
    claims: unbiasedBits,
    cells: (logit) => [sigmoid(logit)],
    weigh: firstDraw,
    fire({ rows, units, logits, noise, h }) {
      const size = logits.length;
      for (let i = 0; i < size; i++) h[i] = bit(logits[i], noise[i]);
      for (let flipped = 0, at = size; flipped < units; flipped++, at += size) {
        h.copyWithin(at, 0, size);
        for (let i = flipped; i < rows * units; i += units) h[at + i] = 1 - h[i];
      }
    },
    pullback(pullback) {
      const { rows, units, logits, h, loss } = pullback;
      pullEach(pullback, (row, i) => {
        const difference = loss[((i % units) + 1) * rows + row] - loss[row];
        return sigmoidSlope(logits[i]) * (1 - 2 * h[i]) * difference;
      });
    },
  }),
});
