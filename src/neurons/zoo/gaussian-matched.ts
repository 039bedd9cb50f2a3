import { normalQuantile, sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

export const gaussianMatched = defineNeuron({
  name: 'gaussian-matched',
  source:
    'noise with the mean and variance of Binomial(m, p)/m, after Wang, Manning 2013, "Fast dropout training"; pathwise: Kingma, Welling 2014, §2.4',
  summary: "h = p + s·z, p = σ(a), s² = p(1 − p)/m, z standard normal; ĝ = δ·(σ'(a) + z·∂s/∂a), or δ·σ'(a)",
  options: {
    m: { minimum: 0.01, maximum: 1e6, default: 1, meaning: 'bits whose mean has this variance' },
    gradient: {
      choices: ['pathwise', 'straight-through'],
      default: 'pathwise',
      meaning: "through the noise too, which is unbiased; or δ·σ'(a), as bits are trained",
    },
  },
  rule: ({ m, gradient }) => ({
    noise: 1,
    reads: 'cotangent',
    range: 'real',
    claims: { unbiased: gradient === 'pathwise', mean: sigmoid, rate: () => 1 },
    fire: fireEach((logit, u) => sigmoid(logit) + Math.sqrt(sigmoidSlope(logit) / m) * normalQuantile(u)),
    // ∂s/∂a = s·(½ − p), and z·s = h − p.
    pullback: pullbackEach((logit, h) => {
      const p = sigmoid(logit);
      return sigmoidSlope(logit) + (gradient === 'pathwise' ? (h - p) * (0.5 - p) : 0);
    }),
    expect: sigmoid,
    whenOpen: sigmoid,
    formulas: { whenOpen: f.sigmoid(f.logit) },
    twin: {
      fire: 'fireGaussianMatched',
      pullback: gradient === 'pathwise' ? 'pullbackGaussianMatched' : 'pullbackLogistic',
      expect: 'fireSigmoid',
      numbers: [m],
    },
  }),
});
