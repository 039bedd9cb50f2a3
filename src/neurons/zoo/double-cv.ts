import { sigmoid } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, fireBits, unbiasedBits } from '../parts/bernoulli.ts';
import { coefficientState, combine, learnCoefficients } from '../parts/control-variates.ts';
import { doubleCvParts } from '../parts/double-cv-parts.ts';

// The paper moves α by gradient steps on the mean square of ĝ; here it is the least of its moving average, in closed form.
export const doubleCv = defineNeuron({
  name: 'double-cv',
  source:
    'Titsias, Shi 2022, "Double control variates for gradient estimation in discrete latent variable models", K = 2',
  summary:
    "h = 1[u < p], two of them, p = σ(a); ĝ = ½(f₁ − f₂ + α(f₂'·(h₁ − p) − f₁'·(h₂ − p)))(h₁ − h₂) − ½α(f₁' + f₂')p(1 − p)",
  options: {},
  rule: () => ({
    ...bernoulli,
    noise: 2,
    draws: 2,
    reads: 'both',
    claims: unbiasedBits,
    cells: (logit) => [sigmoid(logit)],
    state: coefficientState([0]),
    fire: fireBits,
    pullback: (pullback) => combine(pullback.state, doubleCvParts(pullback), pullback.gradient),
    update: (update) => learnCoefficients(update.state, doubleCvParts(update)),
  }),
});
