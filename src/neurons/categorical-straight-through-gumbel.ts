import { categoricalRaoBlackwellGumbel } from './categorical-rao-blackwell-gumbel.ts';
import { temperature } from './concrete.ts';
import { defineNeuron } from './contract.ts';
import { classes } from './one-hot.ts';

// The Gumbel numbers are drawn after the class, given it: the same distribution as of a class that is the largest of them.
export const categoricalStraightThroughGumbel = defineNeuron({
  name: 'categorical-straight-through-gumbel',
  source: 'Jang, Gu, Poole 2017, "Categorical Reparameterization with Gumbel-Softmax", §2.2',
  summary:
    'h = one of `classes` units by softmax(a), the largest of s = softmax((a + G)/τ), G Gumbel; ĝ = (diag s − s·sᵀ)·δ/τ',
  options: { classes, temperature },
  rule: (options) => categoricalRaoBlackwellGumbel.rule({ ...options, K: 1 }),
});
