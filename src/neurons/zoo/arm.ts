import { defineNeuron } from '../contract.ts';
import { antitheticCells, fireAntithetic } from '../parts/antithetic.ts';
import { bernoulli, pullEach, unbiasedBits } from '../parts/bernoulli.ts';

export const arm = defineNeuron({
  name: 'arm',
  source: 'Yin, Zhou 2019, "ARM: Augment-REINFORCE-merge gradient for stochastic binary networks", Theorem 1, Eq. 6',
  summary: "h = 1[u < σ(a)], h' = 1[u > σ(−a)]; ĝ = (f(h') − f(h))(u − ½)",
  options: {},
  rule: () => ({
    ...bernoulli,
    noise: 1,
    draws: 2,
    reads: 'loss',
    claims: unbiasedBits,
    cells: antitheticCells,
    fire: fireAntithetic,
    pullback(pullback) {
      const { rows, noise, loss } = pullback;
      pullEach(pullback, (row, i) => (loss[rows + row] - loss[row]) * (noise[i] - 0.5));
    },
  }),
});
