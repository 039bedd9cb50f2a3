import { defineNeuron } from '../contract.ts';
import { addJacobian, classes, fireOneHot, oneHot, pullGroups, softmax } from '../parts/one-hot.ts';

export const categoricalReinmax = defineNeuron({
  name: 'categorical-reinmax',
  source: 'Liu, Dong, Liu, Yu, Gao 2023, "Bridging Discrete and Backpropagation", §4, Algorithm 2',
  summary:
    'h = one of `classes` units by p = softmax(a); ĝ = 2·J(q)·δ − ½·J(p)·δ, q = (softmax(a/τ) + h)/2, J(s) = diag s − s·sᵀ',
  options: {
    classes,
    temperature: {
      minimum: 1,
      maximum: 20,
      default: 1,
      meaning: 'τ ≥ 1: divides the logits in the backward pass; unlike those of relaxations, it helps over 1',
    },
  },
  rule: ({ classes, temperature }) => ({
    ...oneHot(classes),
    noise: 1,
    reads: 'cotangent',
    claims: { unbiased: false },
    fire: (firing) => fireOneHot(firing, classes),
    pullback(pullback) {
      const { logits, h } = pullback;
      pullGroups(pullback, classes, (first, size, p) => {
        const q = softmax(logits, first, size, temperature).map((s, k) => (s + h[first + k]) / 2);
        addJacobian(q, pullback, first, 2);
        addJacobian(p, pullback, first, -0.5);
      });
    },
  }),
});
