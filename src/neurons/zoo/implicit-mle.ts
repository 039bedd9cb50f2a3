import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach } from '../contract.ts';

export const implicitMle = defineNeuron({
  name: 'implicit-mle',
  source:
    'Niepert, Minervini, Franceschi 2021, "Implicit MLE: backpropagating through discrete exponential family distributions", §3, of independent bits',
  summary: 'h = 1[u < σ(a)]; ĝ = (h − 1[u < σ(a − λδ)])/λ: how the bit moves if its logit takes a step against δ',
  options: {
    lambda: {
      minimum: 0.01,
      maximum: 1000,
      default: 10,
      meaning: 'λ: length of the step of the logit; small: less bias and more variance',
    },
  },
  rule: ({ lambda }) => ({
    noise: 1,
    reads: 'cotangent',
    range: 'unit-interval',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    opening: openingEach(sigmoid, sigmoidSlope),
    fire: fireEach((logit, u) => (u < sigmoid(logit) ? 1 : 0)),
    pullback({ logits, noise, h, dh, gradient }) {
      for (let i = 0; i < h.length; i++)
        gradient[i] = (h[i] - (noise[i] < sigmoid(logits[i] - lambda * dh[i]) ? 1 : 0)) / lambda;
    },
    expect: sigmoid,
    whenOpen: () => 1,
  }),
});
