import { sigmoid } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { antitheticCells, fireAntithetic } from '../parts/antithetic.ts';
import { bernoulli, pullEach, unbiasedBits } from '../parts/bernoulli.ts';

export const disarm = defineNeuron({
  name: 'disarm',
  source: 'Dong, Mnih, Tucker 2020, "DisARM", Eq. 7; the same as U2G of Yin, Ho, Yan, Qian, Zhou 2020',
  summary: "h = 1[u < σ(a)], h' = 1[u > σ(−a)]; ĝ = ½(f(h) − f(h'))(h − h')·σ(|a|)",
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
      const { rows, logits, h, loss } = pullback;
      const size = logits.length;
      pullEach(pullback, (row, i) =>
        h[i] === h[size + i]
          ? 0
          : 0.5 * (loss[row] - loss[rows + row]) * (h[i] - h[size + i]) * sigmoid(Math.abs(logits[i])),
      );
    },
  }),
});
