import { defineNeuron } from '../contract.ts';
import { classes } from '../parts/one-hot.ts';
import { categoricalRaoBlackwellGumbel } from './categorical-rao-blackwell-gumbel.ts';
import { temperature } from './concrete.ts';

// The class is drawn first and the Gumbel numbers given the class: the same joint distribution as drawing them and taking the largest.
export const categoricalStraightThroughGumbel = defineNeuron({
  name: 'categorical-straight-through-gumbel',
  source: 'Jang, Gu, Poole 2017, "Categorical Reparameterization with Gumbel-Softmax", §2.2',
  summary:
    'h = one of `classes` units by softmax(a), the largest of s = softmax((a + G)/τ), G Gumbel; ĝ = (diag s − s·sᵀ)·δ/τ',
  options: { classes, temperature },
  rule: (options) => categoricalRaoBlackwellGumbel.rule({ ...options, K: 1 }),
});
