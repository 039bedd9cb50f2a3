import { logit as logisticQuantile, sigmoid } from '../../math/special.ts';
import { defineNeuron, fireEach, pullbackEach } from '../contract.ts';
import { bernoulli } from '../parts/bernoulli.ts';

/** σ((a − log(u/(1−u)))/τ): over ½ where u < σ(a), so that the relaxation rounds to the bit of the same u. */
export const relax = (logit: number, u: number, temperature: number): number =>
  sigmoid((logit - logisticQuantile(u)) / temperature);

/** The temperature of relaxations, which divides the logit and its noise. */
export const temperature = {
  minimum: 0.05,
  maximum: 20,
  default: 0.5,
  meaning: 'τ: divides the logit and its noise; near 0 the relaxation is binary',
} as const;

// In use the unit emits its relaxation rounded to a bit; it trains with the relaxation itself.
export const concrete = defineNeuron({
  name: 'concrete',
  source: 'Maddison, Mnih, Teh 2017, §3.2 and appendix B (binary concrete); Jang, Gu, Poole 2017 (Gumbel-softmax)',
  summary: 'h = σ((a + z)/τ), z logistic, in use 1[a + z > 0]; ĝ = δ·h(1 − h)/τ',
  options: { temperature },
  rule: ({ temperature }) => ({
    ...bernoulli,
    noise: 1,
    reads: 'cotangent',
    claims: { unbiased: false, unbiasedRelaxation: true },
    cells: (logit) => [sigmoid(logit)],
    fire: fireEach((logit, u) => relax(logit, u, temperature)),
    pullback: pullbackEach((_logit, h) => (h * (1 - h)) / temperature),
    twin: { fire: 'fireConcrete', pullback: 'pullbackConcrete', expect: 'fireSigmoid', numbers: [temperature] },
  }),
});
