import { logit as logisticQuantile, sigmoid, sigmoidSlope, softplus } from '../math/special.ts';
import { defineNeuron, fireEach, LEAST_OPEN, openingEach, pullbackEach } from './contract.ts';
import { type Formula, f } from './formula.ts';

const clip = (x: number): number => Math.min(1, Math.max(0, x));

export const hardConcrete = defineNeuron({
  name: 'hard-concrete',
  source: 'Louizos, Welling, Kingma 2018, §2.2, Eq. 10–13; β, γ and ζ as in its experiments',
  summary:
    'h = clip(s(ζ − γ) + γ) to [0, 1], s = σ((log u − log(1−u) + a)/β); ĝ = δ·(h − γ)(ζ − h)/((ζ − γ)β)·1[0 < h < 1]',
  options: {
    beta: {
      minimum: 1e-3,
      maximum: 100,
      default: 2 / 3,
      meaning: 'β: temperature, which divides the logit; near 0 gates are binary',
    },
    gamma: { minimum: -10, maximum: -1e-3, default: -0.1, meaning: 'γ < 0: lower end of the stretched interval' },
    zeta: { minimum: 1.001, maximum: 11, default: 1.1, meaning: 'ζ > 1: upper end of the stretched interval' },
  },
  rule: ({ beta, gamma, zeta }) => {
    const width = zeta - gamma;
    const stretched = (x: number): number => clip(sigmoid(x) * width + gamma);
    /** P(h ≠ 0) = σ(a − shut), P(h = 1) = σ(a − full). */
    const shut = beta * Math.log(-gamma / zeta);
    const full = beta * Math.log((1 - gamma) / (zeta - 1));
    const rate = (logit: number): number => sigmoid(logit - shut);
    const stretchedFormula = (x: Formula): Formula => f.clip(f.add(f.multiply(f.sigmoid(x), width), gamma), 0, 1);
    const past = f.subtract(f.logit, shut);
    return {
      noise: 1,
      reads: 'cotangent-when-open',
      range: 'unit-interval',
      claims: { unbiased: true, rate },
      cells: (logit) => [sigmoid(shut - logit), sigmoid(full - logit)],
      penalized: 'opening',
      opening: openingEach(rate, (logit) => sigmoidSlope(logit - shut)),
      fire: fireEach((logit, u) => stretched((logisticQuantile(u) + logit) / beta)),
      pullback: pullbackEach((_logit, h) => (h > 0 && h < 1 ? ((h - gamma) * (zeta - h)) / (width * beta) : 0)),
      // Eq. 13, the gate of the paper's tests: no noise and no temperature.
      expect: (logit) => stretched(logit),
      // The median of h given h ≠ 0: u = 1 − rate/2, with log(rate) = −softplus(shut − a).
      whenOpen: (logit) => {
        const quantile = Math.log(2 - rate(logit)) + softplus(shut - logit);
        return Math.max(LEAST_OPEN, stretched((quantile + logit) / beta));
      },
      twin: {
        fire: 'fireHardConcrete',
        pullback: 'pullbackHardConcrete',
        expect: 'fireStretchedSigmoid',
        numbers: [beta, gamma, zeta],
      },
      formulas: {
        expect: stretchedFormula(f.logit),
        // softplus(shut − a) + a = softplus(a − shut) + shut, where no large numbers cancel.
        whenOpen: f.max(
          LEAST_OPEN,
          stretchedFormula(f.divide(f.add(f.add(f.log(f.subtract(2, f.sigmoid(past))), f.softplus(past)), shut), beta)),
        ),
      },
    };
  },
});
