import { sigmoid, sigmoidSlope } from '../math/special.ts';
import { defineNeuron, fireEach, type NeuronState, openingEach } from './contract.ts';

const DECAY = 0.9;

const baselineOf = (state: NeuronState, unit: number): number =>
  state.numerator ? state.numerator[unit] / state.denominator[unit] : 0;

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
    pullback({ rows, units, logits, h, loss, gradient, state }) {
      for (let row = 0, i = 0; row < rows; row++)
        for (let unit = 0; unit < units; unit++, i++)
          gradient[i] = (h[i] - sigmoid(logits[i])) * (loss[row] - baselineOf(state, unit));
    },
    expect: sigmoid,
    whenOpen: () => 1,
    learningRateScale: 0.01,
    ...(baseline !== 'none' && {
      // The paper's code: both averages start at 1e-6 and the pullback uses the PREVIOUS step's.
      state: { numerator: 1e-6, denominator: 1e-6 },
      update({ rows, units, logits, h, loss, state }) {
        for (let unit = 0; unit < units; unit++) {
          let top = 0;
          let bottom = 0;
          for (let row = 0, i = unit; row < rows; row++, i += units) {
            const weight = baseline === 'optimal' ? (h[i] - sigmoid(logits[i])) ** 2 : 1;
            top += weight * loss[row];
            bottom += weight;
          }
          state.numerator[unit] = DECAY * state.numerator[unit] + ((1 - DECAY) * top) / rows;
          state.denominator[unit] = DECAY * state.denominator[unit] + ((1 - DECAY) * bottom) / rows;
        }
      },
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
