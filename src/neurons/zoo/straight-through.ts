import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach, pullbackEach } from '../contract.ts';

export const straightThrough = defineNeuron({
  name: 'straight-through',
  source: 'Bengio, Léonard, Courville 2013, §4 (after Hinton 2012, lecture 15b)',
  summary: 'h = 1[u < σ(a)]; ĝ = δ',
  options: {},
  rule: () => ({
    noise: 1,
    reads: 'cotangent',
    range: 'unit-interval',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    opening: openingEach(sigmoid, sigmoidSlope),
    fire: fireEach((logit, u) => (u < sigmoid(logit) ? 1 : 0)),
    pullback: pullbackEach(() => 1),
    expect: sigmoid,
    whenOpen: () => 1,
    twin: { fire: 'fireBernoulli', pullback: 'pullbackIdentity', expect: 'fireSigmoid' },
  }),
});
