import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, pullbackEach } from '../contract.ts';
import { bernoulli, fireBits } from '../parts/bernoulli.ts';

// Algorithm 2 of the paper for two classes with logits (a, 0), q the mean of h and σ(a/τ): 2·q(1−q) − ½·p(1−p). Without the
// temperature this is ½(1−p) where h = 1 and ½p where h = 0: exact in the mean for quadratic losses.
export const reinmax = defineNeuron({
  name: 'reinmax',
  source: 'Liu, Dong, Liu, Yu, Gao 2023, "Bridging Discrete and Backpropagation", §4, Algorithm 2',
  summary: 'h = 1[u < p], p = σ(a); ĝ = δ·(½·r(2 − r) − ½·p(1 − p)), r = P(1 − h) at a/τ',
  options: {
    temperature: {
      minimum: 1,
      maximum: 20,
      default: 1,
      meaning: 'τ ≥ 1: divides the logit in the backward pass; unlike those of relaxations, it helps over 1',
    },
  },
  rule: ({ temperature }) => ({
    ...bernoulli,
    noise: 1,
    reads: 'cotangent',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    fire: fireBits,
    pullback: pullbackEach((logit, h) => {
      const r = sigmoid(((1 - 2 * h) * logit) / temperature);
      return (r * (2 - r) - sigmoidSlope(logit)) / 2;
    }),
    twin: { fire: 'fireBernoulli', pullback: 'pullbackReinmax', expect: 'fireSigmoid', numbers: [temperature] },
  }),
});
