import { sigmoid } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, fireBits, pullEach, unbiasedBits } from '../parts/bernoulli.ts';

export const rloo = defineNeuron({
  name: 'rloo',
  source:
    'Kool, van Hoof, Welling 2019, "Buy 4 REINFORCE samples, get a baseline for free!"; Salimans and Knowles 2014',
  summary: 'h = 1[u < σ(a)], K independent draws; ĝ = Σ_k (f_k − mean of the other f)(h_k − σ(a))/K',
  options: { K: { minimum: 2, maximum: 64, default: 2, whole: true, meaning: 'independent draws' } },
  rule: ({ K }) => ({
    ...bernoulli,
    noise: K,
    draws: K,
    reads: 'loss',
    claims: unbiasedBits,
    cells: (logit) => [sigmoid(logit)],
    fire: fireBits,
    pullback(pullback) {
      const { rows, logits, h, loss } = pullback;
      pullEach(pullback, (row, i) => {
        let [total, score, product] = [0, 0, 0];
        const p = sigmoid(logits[i]);
        for (let draw = 0; draw < K; draw++) {
          const f = loss[draw * rows + row];
          const s = h[draw * logits.length + i] - p;
          total += f;
          score += s;
          product += f * s;
        }
        // f_k − (total − f_k)/(K − 1) = (K·f_k − total)/(K − 1)
        return (product - (total * score) / K) / (K - 1);
      });
    },
  }),
});
