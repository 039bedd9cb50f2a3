import { defineNeuron, fireEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

export const tanh = defineNeuron({
  name: 'tanh',
  source: 'deterministic baseline',
  summary: 'h = tanh a; ĝ = δ·(1 − h²)',
  options: {},
  rule: () => ({
    noise: 0,
    reads: 'cotangent',
    range: 'real',
    claims: { unbiased: true, mean: Math.tanh, rate: (logit) => (logit === 0 ? 0 : 1) },
    fire: fireEach(Math.tanh),
    pullback: pullbackEach((_logit, h) => 1 - h * h),
    expect: Math.tanh,
    whenOpen: Math.tanh,
    formulas: { expect: f.tanh(f.logit), whenOpen: f.tanh(f.logit) },
    twin: { fire: 'fireTanh', pullback: 'pullbackTanh', expect: 'fireTanh' },
  }),
});
