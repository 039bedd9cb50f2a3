import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach } from '../contract.ts';
import { DECAY, learnScoreBaseline, pullScore, scoreBaselineState } from '../parts/score-baseline.ts';

// Erratum: Eq. 3 of the paper prints 1[z > σ(a)], which fires with probability 1 − σ(a) and contradicts Eq. 4.
export const stochasticBinary = defineNeuron({
  name: 'stochastic-binary',
  source: 'Bengio, Léonard, Courville 2013, §3, Theorem 1 and Corollary 1 (REINFORCE, Williams 1992)',
  summary: 'h = 1[u < σ(a)]; ĝ = (h − σ(a))(L − L̄), optimal L̄ = E[(h−σ)²L]/E[(h−σ)²] for each unit',
  options: {
    baseline: {
      choices: ['optimal', 'moving-average', 'none'],
      default: 'optimal',
      meaning: 'L̄: the variance-optimal one of each unit, the moving average of the loss, or 0',
    },
  },
  rule: ({ baseline }) => ({
    noise: 1,
    reads: 'loss',
    range: 'unit-interval',
    claims: { unbiased: true, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    opening: openingEach(sigmoid, sigmoidSlope),
    fire: fireEach((logit, u) => (u < sigmoid(logit) ? 1 : 0)),
    pullback: pullScore,
    expect: sigmoid,
    whenOpen: () => 1,
    learningRateScale: 0.01,
    ...(baseline !== 'none' && {
      state: scoreBaselineState,
      update: (update) => learnScoreBaseline(update, baseline === 'optimal'),
    }),
    twin: {
      fire: 'fireBernoulli',
      pullback: 'pullbackScore',
      expect: 'fireSigmoid',
      update: 'updateScore',
      numbers: [baseline === 'optimal' ? 0 : 1, DECAY],
    },
  }),
});
