import { defineNeuron, f, fireEach, pullbackEach } from '../../src/index.ts';

const KEEP = 0.5;
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));

/** Logistic units, each kept with probability ½ and then doubled; at test time all of them, undoubled. */
export const dropout = defineNeuron({
  name: 'dropout-sigmoid',
  source: 'Hinton et al. 2012, arXiv:1207.0580, in the form that scales while training',
  summary: 'h = 2σ(a)·1[u < ½]; ĝ = δ·2σ′(a)·1[u < ½]',
  options: {},
  rule: () => ({
    noise: 1,
    reads: 'cotangent',
    range: 'real',
    claims: { unbiased: true, rate: () => KEEP },
    fire: fireEach((logit, u) => (u < KEEP ? sigmoid(logit) / KEEP : 0)),
    pullback: pullbackEach((logit, _h, u) => (u < KEEP ? (sigmoid(logit) * (1 - sigmoid(logit))) / KEEP : 0)),
    expect: sigmoid,
    whenOpen: (logit: number) => sigmoid(logit) / KEEP,
    formulas: { whenOpen: f.divide(f.sigmoid(f.logit), KEEP) },
  }),
});
