import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach, pullbackEach } from '../contract.ts';
import { hardConcreteParts } from '../parts/hard-concrete-parts.ts';

export const hardConcrete = defineNeuron({
  name: 'hard-concrete',
  source: 'Louizos, Welling, Kingma 2018, §2.2, Eq. 10–13; β, γ and ζ as in its experiments',
  summary:
    'h = clip(s(ζ − γ) + γ) to [0, 1], s = σ((log u − log(1−u) + a)/β); ĝ = δ·(h − γ)(ζ − h)/((ζ − γ)β)·1[0 < h < 1]',
  options: {
    beta: { minimum: 1e-3, maximum: 100, default: 2 / 3, meaning: 'β: temperature; near 0 gates are binary' },
    gamma: { minimum: -10, maximum: -1e-3, default: -0.1, meaning: 'γ < 0: lower end of the stretched interval' },
    zeta: { minimum: 1.001, maximum: 11, default: 1.1, meaning: 'ζ > 1: upper end of the stretched interval' },
  },
  rule: ({ beta, gamma, zeta }) => {
    const { shut, full, rate, fire, slope, expect, whenOpen, formulas } = hardConcreteParts(beta, gamma, zeta);
    return {
      noise: 1,
      reads: 'cotangent-when-open',
      range: 'unit-interval',
      claims: { unbiased: true, rate },
      cells: (logit) => [sigmoid(shut - logit), sigmoid(full - logit)],
      penalized: 'opening',
      opening: openingEach(rate, (logit) => sigmoidSlope(logit - shut)),
      fire: fireEach(fire),
      pullback: pullbackEach(slope),
      expect,
      whenOpen,
      formulas,
      twin: {
        fire: 'fireHardConcrete',
        pullback: 'pullbackHardConcrete',
        expect: 'fireStretchedSigmoid',
        numbers: [beta, gamma, zeta],
      },
    };
  },
});
