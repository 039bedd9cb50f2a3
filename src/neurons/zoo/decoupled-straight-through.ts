import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';
import { bit } from '../parts/bernoulli.ts';

const temperature = { minimum: 0.05, maximum: 20 } as const;

export const decoupledStraightThrough = defineNeuron({
  name: 'decoupled-straight-through',
  source:
    'Shah, Yan, Mozer, Liu 2024, "Improving discrete optimisation via decoupled straight-through estimator", arXiv:2410.13331, of two classes',
  summary: "h = 1[u < σ(a/τ_f)]; ĝ = δ·σ'(a/τ_b)/τ_b",
  options: {
    forward: { ...temperature, default: 1, meaning: 'τ_f: temperature that is drawn at; high: more exploration' },
    backward: { ...temperature, default: 2, meaning: 'τ_b: temperature of the slope; high: gradients far from 0 too' },
  },
  rule: ({ forward, backward }) => {
    const p = (logit: number): number => sigmoid(logit / forward);
    return {
      noise: 1,
      reads: 'cotangent',
      range: 'unit-interval',
      claims: { unbiased: false, mean: p, rate: p },
      cells: (logit) => [p(logit)],
      opening: openingEach(p, (logit) => sigmoidSlope(logit / forward) / forward),
      fire: fireEach((logit, u) => bit(logit / forward, u)),
      pullback: pullbackEach((logit) => sigmoidSlope(logit / backward) / backward),
      expect: p,
      whenOpen: () => 1,
      formulas: { expect: f.sigmoid(f.divide(f.logit, forward)) },
    };
  },
});
