import { sigmoid } from '../math/special.ts';
import { bernoulli, fireBits, unbiasedBits } from './bernoulli.ts';
import { defineNeuron } from './contract.ts';
import { coefficientState, combine, learnCoefficients } from './control-variates.ts';
import { rodeoParts } from './rodeo-parts.ts';

// The paper's surrogate H(mean loss, ℓ) of the other draws is a network of 100 hidden units, trained with α and β by Adam. Here H is
// linear in its arguments, so that ĝ is linear in all that is learned, and least squares has it in closed form.
export const rodeo = defineNeuron({
  name: 'rodeo',
  source:
    'Shi, Zhou, Hwang, Titsias, Mackey 2022, "Gradient estimation with discrete Stein operators", §4, Gibbs operator',
  summary:
    'h = 1[u < p], K draws, p = σ(a); ĝ = mean over k of (f_k − mean of the other (f + α𝒜H))(h_k − p) + β𝒜(H·(h − p))(h_k), 𝒜 of Stein',
  options: { K: { minimum: 2, maximum: 64, default: 2, whole: true, meaning: 'independent draws' } },
  rule: ({ K }) => ({
    ...bernoulli,
    noise: K,
    draws: K,
    reads: 'both',
    claims: unbiasedBits,
    cells: (logit) => [sigmoid(logit)],
    state: coefficientState([0, 0, 0]),
    fire: fireBits,
    pullback: (pullback) => combine(pullback.state, rodeoParts(pullback), pullback.gradient),
    update: (update) => learnCoefficients(update.state, rodeoParts(update)),
  }),
});
