import { defineNeuron, fireEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

const identity = (logit: number): number => logit;

export const linear = defineNeuron({
  name: 'linear',
  source: 'deterministic baseline: no neuron at all (the experts of Bengio, Léonard, Courville 2013, §5)',
  summary: 'h = a; ĝ = δ',
  options: {},
  rule: () => ({
    noise: 0,
    identity: true,
    reads: 'cotangent',
    range: 'real',
    claims: { unbiased: true, mean: identity, rate: (logit) => (logit === 0 ? 0 : 1) },
    fire: fireEach(identity),
    pullback: pullbackEach(() => 1),
    expect: identity,
    whenOpen: identity,
    formulas: { expect: f.logit, whenOpen: f.logit },
  }),
});
