import { defineNeuron } from '../contract.ts';
import { addJacobian, classes, fireOneHot, oneHot, pullGroups } from '../parts/one-hot.ts';

export const categoricalStraightThrough = defineNeuron({
  name: 'categorical-straight-through',
  source: 'Bengio, Léonard, Courville 2013, §4, with the derivative, for softmax units; Liu et al. 2023, §2, Eq. 3',
  summary: 'h = one of `classes` units by p = softmax(a); ĝ = (diag p − p·pᵀ)·δ',
  options: { classes },
  rule: ({ classes }) => ({
    ...oneHot(classes),
    noise: 1,
    reads: 'cotangent',
    claims: { unbiased: false },
    fire: (firing) => fireOneHot(firing, classes),
    pullback(pullback) {
      pullGroups(pullback, classes, (first, _size, p) => addJacobian(p, pullback, first, 1));
    },
  }),
});
