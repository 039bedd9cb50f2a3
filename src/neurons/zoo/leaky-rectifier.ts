import { defineNeuron, fireEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

export const leakyRectifier = defineNeuron({
  name: 'leaky-rectifier',
  source: 'deterministic baseline (Maas, Hannun, Ng 2013)',
  summary: 'h = a where a > 0, else s·a; ĝ = δ·(1 where a > 0, else s)',
  options: { slope: { minimum: 0.001, maximum: 1, default: 0.01, meaning: 's: the slope under 0' } },
  rule: ({ slope }) => {
    const leaky = (logit: number): number => Math.max(logit, slope * logit);
    return {
      noise: 0,
      reads: 'cotangent',
      range: 'real',
      claims: { unbiased: true, mean: leaky, rate: (logit) => (logit === 0 ? 0 : 1) },
      fire: fireEach(leaky),
      pullback: pullbackEach((logit) => (logit > 0 ? 1 : slope)),
      expect: leaky,
      whenOpen: leaky,
      formulas: {
        expect: f.max(f.logit, f.multiply(slope, f.logit)),
        whenOpen: f.max(f.logit, f.multiply(slope, f.logit)),
      },
    };
  },
});
