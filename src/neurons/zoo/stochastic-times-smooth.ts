import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

export const stochasticTimesSmooth = defineNeuron({
  name: 'stochastic-times-smooth',
  source: 'Bengio, Léonard, Courville 2013, §2 (decomposition into a stochastic binary part and a smooth part)',
  summary: 'p = σ(a), b ~ Bernoulli(√p), h = b·√p; ĝ = δ·b·∂√p/∂a = δ·½h(1 − p)',
  options: {
    variant: { choices: ['paper', 'code'], default: 'paper', meaning: 'P(b = 1): √p (the paper) or p (its code)' },
  },
  rule: ({ variant }) => {
    const rate = (logit: number) => (variant === 'paper' ? Math.sqrt(sigmoid(logit)) : sigmoid(logit));
    const slope = (logit: number) => (variant === 'paper' ? 0.5 * rate(logit) * sigmoid(-logit) : sigmoidSlope(logit));
    const whenOpen = (logit: number) => Math.sqrt(sigmoid(logit));
    // √σ(a), computed without taking the root of a rounded number near 0.
    const root = f.exp(f.multiply(-0.5, f.softplus(f.subtract(0, f.logit))));
    const mean = (logit: number) => rate(logit) * whenOpen(logit);
    return {
      noise: 1,
      reads: 'cotangent-when-open',
      range: 'unit-interval',
      claims: { unbiased: false, mean, rate },
      cells: (logit) => [rate(logit)],
      opening: openingEach(rate, slope),
      fire: fireEach((logit, u) => (u < rate(logit) ? whenOpen(logit) : 0)),
      pullback: pullbackEach((logit, h) => 0.5 * h * sigmoid(-logit)),
      expect: mean,
      whenOpen,
      formulas: {
        expect: f.multiply(f.sigmoid(f.logit), variant === 'paper' ? 1 : root),
        whenOpen: root,
      },
      twin: {
        fire: 'fireStochasticTimesSmooth',
        pullback: 'pullbackStochasticTimesSmooth',
        numbers: [variant === 'paper' ? 0 : 1],
      },
    };
  },
});
