import { sigmoid } from '../math/special.ts';
import { bernoulli, fireBits, unbiasedBits } from './bernoulli.ts';
import { defineNeuron, type Update } from './contract.ts';
import { coefficientState, combine, learnCoefficients } from './control-variates.ts';

/** [A, B] of ĝ = A + α·B: A is leave-one-out REINFORCE, B the two control variates. */
function parts({ rows, units, logits, h, loss, dh }: Update): readonly Float64Array[] {
  const size = rows * units;
  const [a, b, p] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  for (let row = 0, from = 0; row < rows; row++, from += units) {
    // b₁ − c₁ of the paper, over α.
    let linear = 0;
    for (let i = from; i < from + units; i++) {
      p[i] = sigmoid(logits[i]);
      linear += dh[size + i] * (h[i] - p[i]) - dh[i] * (h[size + i] - p[i]);
    }
    for (let i = from; i < from + units; i++) {
      const score = 0.5 * (h[i] - h[size + i]);
      a[i] = (loss[row] - loss[rows + row]) * score;
      b[i] = linear * score - 0.5 * (dh[i] + dh[size + i]) * p[i] * (1 - p[i]);
    }
  }
  return [a, b];
}

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
    pullback: (pullback) => combine(pullback.state, parts(pullback), pullback.gradient),
    update: (update) => learnCoefficients(update.state, parts(update)),
  }),
});
