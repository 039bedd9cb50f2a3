import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, bit, pullEach, unbiasedBits } from '../parts/bernoulli.ts';

// The paper leaves open what the pairs share; here they share the noise of all units, so that ĝ is local-expectation's. Its draws
// do more for the network above: given the others, unit i's pair with weights p and 1 − p is its whole distribution.
export const measureValued = defineNeuron({
  name: 'measure-valued',
  source:
    'Mohamed, Rosca, Figurnov, Mnih 2020, "Monte Carlo gradient estimation in machine learning", §6, table 1, coupled',
  summary: 'h = 1[u < p], p = σ(a), with h_i = 1 (f⁺) and with h_i = 0 (f⁻) for every unit i; ĝ = p(1 − p)(f⁺ − f⁻)',
  options: {},
  rule: () => ({
    ...bernoulli,
    noise: 1,
    draws: (units) => 2 * units,
    comparesRows: true,
    reads: 'loss',
    claims: unbiasedBits,
    cells: (logit) => [sigmoid(logit)],
    weigh({ rows, units, logits, loss, weights, total }) {
      total.fill(0);
      for (let draw = 0, at = 0; draw < 2 * units; draw++)
        for (let row = 0; row < rows; row++, at++) {
          weights[at] = sigmoid((draw % 2 === 0 ? 1 : -1) * logits[row * units + (draw >> 1)]) / units;
          total[row] += weights[at] * loss[at];
        }
    },
    fire({ rows, units, logits, noise, h }) {
      for (let i = 0; i < logits.length; i++) h[i] = bit(logits[i], noise[i]);
      for (let at = logits.length; at < h.length; at += logits.length) h.copyWithin(at, 0, logits.length);
      for (let draw = 0; draw < 2 * units; draw++)
        for (let i = draw >> 1; i < rows * units; i += units)
          h[draw * logits.length + i] = Number.isFinite(logits[i]) ? 1 - (draw % 2) : Number.NaN;
    },
    pullback(pullback) {
      const { rows, units, logits, loss } = pullback;
      pullEach(pullback, (row, i) => {
        const at = 2 * (i % units) * rows + row;
        return sigmoidSlope(logits[i]) * (loss[at] - loss[at + rows]);
      });
    },
  }),
});
