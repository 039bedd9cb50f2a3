import { sigmoid } from '../../math/special.ts';
import { defineNeuron, pullbackEach } from '../contract.ts';
import { bernoulli, fireBits } from '../parts/bernoulli.ts';

// The paper's units fire with the hard sigmoid of the logit; here, as in the rest of the zoo, with σ(a).
export const clippedStraightThrough = defineNeuron({
  name: 'clipped-straight-through',
  source: 'Hubara, Courbariaux, Soudry, El-Yaniv, Bengio 2016, "Binarized Neural Networks", §1.3, Eq. 4',
  summary: 'h = 1[u < σ(a)]; ĝ = δ·1[|a| ≤ c]',
  options: { clip: { minimum: 0.01, maximum: 100, default: 1, meaning: 'c: logits beyond ±c get no gradient' } },
  rule: ({ clip }) => ({
    ...bernoulli,
    noise: 1,
    reads: 'cotangent',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    fire: fireBits,
    pullback: pullbackEach((logit) => (Math.abs(logit) <= clip ? 1 : 0)),
    twin: { fire: 'fireBernoulli', pullback: 'pullbackClipped', expect: 'fireSigmoid', numbers: [clip] },
  }),
});
