import { defineNeuron, fireEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

const positive = (logit: number): number => Math.max(0, logit);

export const rectifier = defineNeuron({
  name: 'rectifier',
  source: 'deterministic baseline (Glorot, Bordes, Bengio 2011)',
  summary: 'h = max(0, a); ĝ = δ·1[h > 0]',
  options: {},
  rule: () => ({
    noise: 0,
    reads: 'cotangent-when-open',
    range: 'non-negative',
    claims: { unbiased: true, mean: positive, rate: (logit) => (logit > 0 ? 1 : 0) },
    fire: fireEach(positive),
    pullback: pullbackEach((_logit, h) => (h > 0 ? 1 : 0)),
    expect: positive,
    whenOpen: positive,
    formulas: { expect: f.max(0, f.logit), whenOpen: f.max(0, f.logit) },
    twin: { fire: 'fireRectifier', pullback: 'pullbackRectifier', expect: 'fireRectifier' },
  }),
});
