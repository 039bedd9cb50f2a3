import { sigmoid as logistic } from '../../math/special.ts';
import { defineNeuron, fireEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

export const sigmoid = defineNeuron({
  name: 'sigmoid',
  source: 'deterministic baseline',
  summary: 'h = σ(a); ĝ = δ·h(1 − h)',
  options: {},
  rule: () => ({
    noise: 0,
    reads: 'cotangent',
    range: 'unit-interval',
    claims: { unbiased: true, mean: logistic, rate: () => 1 },
    fire: fireEach(logistic),
    pullback: pullbackEach((_logit, h) => h * (1 - h)),
    expect: logistic,
    whenOpen: logistic,
    formulas: { whenOpen: f.sigmoid(f.logit) },
    twin: { fire: 'fireSigmoid', pullback: 'pullbackSigmoid', expect: 'fireSigmoid' },
  }),
});
