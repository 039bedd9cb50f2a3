import {
  logit as logisticQuantile,
  normalCdf,
  normalDensity,
  normalQuantile,
  sigmoid,
  sigmoidSlope,
  softplus,
} from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

export const noisyRectifier = defineNeuron({
  name: 'noisy-rectifier',
  source: 'Bengio, Léonard, Courville 2013, §2 (noise injection); Nair and Hinton 2010',
  summary:
    'h = max(0, a + s·z), z normal or logistic; ĝ = δ·1[h > 0]; logistic: P(h>0) = σ(a/s), E[h] = s·softplus(a/s)',
  options: {
    noise: { choices: ['gaussian', 'logistic'], default: 'gaussian', meaning: 'distribution of z' },
    scale: { minimum: 1e-6, maximum: 1e6, default: 1, meaning: 's: factor of the standard noise' },
  },
  rule: ({ noise, scale }) => {
    const gaussian = noise === 'gaussian';
    const quantile = gaussian ? normalQuantile : logisticQuantile;
    const cdf = gaussian ? normalCdf : sigmoid;
    const density = gaussian ? normalDensity : sigmoidSlope;
    const standardMean = gaussian ? (x: number) => x * normalCdf(x) + normalDensity(x) : softplus;
    const mean = (logit: number) => scale * standardMean(logit / scale);
    const rate = (logit: number) => cdf(logit / scale);
    const x = f.divide(f.logit, scale);
    // E[h | h > 0]/s: x + φ(x)/Φ(x), or softplus(x)·(1 + e^−x).
    const meanWhenOpen = gaussian
      ? f.add(x, f.normalHazard(x))
      : f.multiply(f.softplus(x), f.add(1, f.exp(f.subtract(0, x))));
    return {
      noise: 1,
      reads: 'cotangent-when-open',
      range: 'non-negative',
      claims: { unbiased: true, mean, rate },
      cells: (logit) => [cdf(-logit / scale)],
      opening: openingEach(rate, (logit) => density(logit / scale) / scale),
      fire: fireEach((logit, u) => Math.max(0, logit + scale * quantile(u))),
      pullback: pullbackEach((_logit, h) => (h > 0 ? 1 : 0)),
      expect: (logit) => Math.max(0, logit),
      // E[h | h > 0]; far below 0 the unit hardly ever fires, and then with next to nothing.
      whenOpen: (logit) => (rate(logit) > 1e-12 ? mean(logit) / rate(logit) : 0),
      formulas: {
        expect: f.max(0, f.logit),
        whenOpen: f.pick(x, quantile(1e-12), f.multiply(scale, meanWhenOpen), 0),
      },
      twin: {
        fire: gaussian ? 'fireNoisyRectifierGaussian' : 'fireNoisyRectifierLogistic',
        pullback: 'pullbackRectifier',
        expect: 'fireRectifier',
        ...(gaussian && { opening: { probability: 'openNormal', pullback: 'pullbackOpenNormal' } }),
        numbers: [scale],
      },
    };
  },
});
