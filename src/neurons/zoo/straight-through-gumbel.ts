import { sigmoid } from '../../math/special.ts';
import { defineNeuron, pullbackEach } from '../contract.ts';
import { bernoulli, fireBits } from '../parts/bernoulli.ts';
import { relax, temperature } from './concrete.ts';

export const straightThroughGumbel = defineNeuron({
  name: 'straight-through-gumbel',
  source: 'Jang, Gu, Poole 2017, "Categorical Reparameterization with Gumbel-Softmax", §2.2',
  summary: 'h = 1[s > ½], s = σ((a + z)/τ), z logistic; ĝ = δ·s(1 − s)/τ',
  options: { temperature },
  rule: ({ temperature }) => ({
    ...bernoulli,
    noise: 1,
    reads: 'cotangent',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    fire: fireBits,
    pullback: pullbackEach((logit, _h, u) => {
      const s = relax(logit, u, temperature);
      return (s * (1 - s)) / temperature;
    }),
    twin: {
      fire: 'fireBernoulli',
      pullback: 'pullbackStraightThroughGumbel',
      expect: 'fireSigmoid',
      numbers: [temperature],
    },
  }),
});
