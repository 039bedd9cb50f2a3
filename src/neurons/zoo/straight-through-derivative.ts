import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach, pullbackEach } from '../contract.ts';

export const straightThroughDerivative = defineNeuron({
  name: 'straight-through-derivative',
  source: 'Bengio, Léonard, Courville 2013, §4, the variant with the derivative; Hinton 2012, lecture 9c',
  summary: "h = 1[u < σ(a)]; ĝ = δ·σ'(a)",
  options: {},
  rule: () => ({
    noise: 1,
    reads: 'cotangent',
    range: 'unit-interval',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    opening: openingEach(sigmoid, sigmoidSlope),
    fire: fireEach((logit, u) => (u < sigmoid(logit) ? 1 : 0)),
    pullback: pullbackEach(sigmoidSlope),
    expect: sigmoid,
    whenOpen: () => 1,
    twin: { fire: 'fireBernoulli', pullback: 'pullbackLogistic', expect: 'fireSigmoid' },
  }),
});
