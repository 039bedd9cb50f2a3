import { defineNeuron } from '../contract.ts';
import { addJacobian, classes, fireOneHot, oneHot, pullGroups, softmax } from '../parts/one-hot.ts';
import { temperature } from './concrete.ts';

export const categoricalGapped = defineNeuron({
  name: 'categorical-gapped',
  source:
    'Fan, Chi, Rudnicky, Ramadge 2022, "Training Discrete Deep Generative Models via Gapped Straight-Through Estimator", §4',
  summary:
    'h = one of `classes` units by softmax(a); ĝ = (diag s − s·sᵀ)·δ/τ, s = softmax of a/τ, where h = 1 raised to the largest a, else cut to `gap` below it',
  options: {
    classes,
    temperature,
    gap: { minimum: 0, maximum: 20, default: 1, meaning: 'the least distance of the sampled logit from the others' },
  },
  rule: ({ classes, temperature, gap }) => ({
    ...oneHot(classes),
    noise: 1,
    reads: 'cotangent',
    claims: { unbiased: false },
    fire: (firing) => fireOneHot(firing, classes),
    pullback(pullback) {
      const { logits, h } = pullback;
      pullGroups(pullback, classes, (first, size) => {
        const most = Math.max(...logits.subarray(first, first + size));
        const shift = (k: number): number =>
          h[first + k] === 1 ? most - logits[first + k] : Math.min(0, most - gap - logits[first + k]);
        addJacobian(softmax(logits, first, size, temperature, shift), pullback, first, 1 / temperature);
      });
    },
  }),
});
