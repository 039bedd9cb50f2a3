import { sigmoid } from '../../math/special.ts';
import type { Pullback, Update } from '../contract.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, fireBits, unbiasedBits } from '../parts/bernoulli.ts';
import { coefficientState, combine, learnCoefficients } from '../parts/control-variates.ts';
import { rodeoParts } from '../parts/rodeo-parts.ts';
import { HIDDEN, learnSurrogate, pullSurrogate, surrogateState } from '../parts/surrogate-network.ts';

// The authors' surrogate of draw k is the mean over the other draws j of H(f_j, f_j′·(y − h_j)), H a network with an output for each of its
// two places, trained with α and β by Adam; here α and β are in the weights of the outputs. `network`: the next draw alone counts, as in the
// fast variant of the authors' code. `linear`: the mean over all others; ĝ is then linear in all that is learned, and least squares has it in
// closed form, three coefficients for α, β and the weights of H that show.
export const rodeo = defineNeuron({
  name: 'rodeo',
  source:
    'Shi, Zhou, Hwang, Titsias, Mackey 2022, "Gradient estimation with discrete Stein operators", §4, Gibbs operator',
  summary:
    'h = 1[u < p], K draws, p = σ(a); ĝ = mean over k of (f_k − mean of the other (f + α𝒜H))(h_k − p) + β𝒜(H·(h − p))(h_k), 𝒜 of Stein',
  options: {
    K: { minimum: 2, maximum: 64, default: 2, whole: true, meaning: 'independent draws' },
    surrogate: {
      choices: ['linear', 'network'],
      default: 'linear',
      meaning: `H: linear in its arguments, or a network of ${HIDDEN} leaky rectifiers as in the paper, which takes longer`,
    },
  },
  rule: ({ K, surrogate }) => ({
    ...bernoulli,
    noise: K,
    draws: K,
    reads: 'both',
    claims: unbiasedBits,
    cells: (logit) => [sigmoid(logit)],
    fire: fireBits,
    ...(surrogate === 'network'
      ? { state: surrogateState, pullback: pullSurrogate, update: learnSurrogate }
      : {
          state: coefficientState([0, 0, 0]),
          pullback: (pullback: Pullback) => combine(pullback.state, rodeoParts(pullback), pullback.gradient),
          update: (update: Update) => learnCoefficients(update.state, rodeoParts(update)),
        }),
  }),
});
