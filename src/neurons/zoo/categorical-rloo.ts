import { defineNeuron } from '../contract.ts';
import { classes, fireOneHot, oneHot, pullGroups } from '../parts/one-hot.ts';

export const categoricalRloo = defineNeuron({
  name: 'categorical-rloo',
  source: 'Kool, van Hoof, Welling 2019, "Buy 4 REINFORCE samples, get a baseline for free!", for softmax units',
  summary:
    'h = one of `classes` units by p = softmax(a), K independent draws; ĝ = Σ_k (f_k − mean of the other f)(h_k − p)/K',
  options: { classes, K: { minimum: 2, maximum: 64, default: 2, whole: true, meaning: 'independent draws' } },
  rule: ({ classes, K }) => ({
    ...oneHot(classes, K),
    noise: K,
    draws: K,
    reads: 'loss',
    claims: { unbiased: true },
    fire: (firing) => fireOneHot(firing, classes),
    pullback(pullback) {
      const { rows, logits, h, loss, gradient } = pullback;
      pullGroups(pullback, classes, (first, size, p, row) => {
        let total = 0;
        for (let draw = 0; draw < K; draw++) total += loss[draw * rows + row];
        for (let draw = 0; draw < K; draw++) {
          // f_k − (total − f_k)/(K − 1), divided by K
          const advantage = (loss[draw * rows + row] - total / K) / (K - 1);
          for (let k = 0; k < size; k++)
            gradient[first + k] += (h[draw * logits.length + first + k] - p[k]) * advantage;
        }
      });
    },
  }),
});
