import { normalQuantile, sigmoid } from '../../math/special.ts';
import { defineNeuron, fireEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

export const noisySigmoid = defineNeuron({
  name: 'noisy-sigmoid',
  source:
    'Bengio, Léonard, Courville 2013, §2 (noise injection at the argument of a smooth unit), baseline "sigmoid + noise"',
  summary: 'h = σ(a + s·z), z standard normal; ĝ = δ·h(1 − h)',
  options: { scale: { minimum: 1e-6, maximum: 1e6, default: 1, meaning: 's: standard deviation of the noise' } },
  rule: ({ scale }) => ({
    noise: 1,
    reads: 'cotangent',
    range: 'unit-interval',
    // With wider noise σ comes to 0 in single precision.
    claims: { unbiased: true, ...(scale <= 8 && { rate: () => 1 }) },
    fire: fireEach((logit, u) => sigmoid(logit + scale * normalQuantile(u))),
    pullback: pullbackEach((_logit, h) => h * (1 - h)),
    expect: sigmoid,
    whenOpen: sigmoid,
    formulas: { whenOpen: f.sigmoid(f.logit) },
    twin: { fire: 'fireNoisySigmoid', pullback: 'pullbackSigmoid', expect: 'fireSigmoid', numbers: [scale] },
  }),
});
