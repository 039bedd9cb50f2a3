import { defineNeuron, f, pullbackEach } from '../../src/index.ts';
import { betaNoise } from './beta-noise.ts';

const { quantile, mean } = betaNoise(0.1, 40.1);
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
const root = (a: number): number => Math.sqrt(sigmoid(a));

/**
 * The stochastic-times-smooth gate as it was trained in 2013: Beta noise at the argument of the sigmoid, replaced by its mean
 * at test time. Two uniforms a unit: one for the noise, one for the bit.
 */
export const stochasticTimesSmooth2013 = defineNeuron({
  name: 'stochastic-times-smooth-2013',
  source: 'Bengio, Léonard, Courville 2013, §2 and appendices A.2, A.4; the authors’ code, conditional_gater.py',
  summary: 'p = σ(a + n), n Beta noise, b ~ Bernoulli(√p), or Bernoulli(p) in the code; h = b·√p; ĝ = δ·½h(1 − p)',
  options: {
    variant: {
      choices: ['paper', 'code'],
      default: 'paper',
      meaning: 'b ~ Bernoulli(√p), or Bernoulli(p) as in the code',
    },
  },
  rule: ({ variant }) => {
    const paper = variant === 'paper';
    const open = paper ? root : sigmoid;
    const noisy = (logit: number, u: number): number => logit + quantile(u);
    const formula = f.exp(f.multiply(-0.5, f.softplus(f.subtract(0, f.add(f.logit, mean)))));
    const smooth = f.sigmoid(f.add(f.logit, mean));
    return {
      noise: 2,
      reads: 'cotangent-when-open',
      range: 'unit-interval',
      claims: { unbiased: false },
      cells: (logit, index, before) => (index === 1 ? [open(noisy(logit, before[0]))] : []),
      // Given the noise at the argument, as the 2013 penalty saw it.
      opening: {
        probability({ logits, noise }, p) {
          for (let i = 0; i < p.length; i++) p[i] = open(noisy(logits[i], noise[2 * i]));
        },
        pullback({ logits, noise }, dp, gradient) {
          for (let i = 0; i < dp.length; i++) {
            const p = sigmoid(noisy(logits[i], noise[2 * i]));
            // ∂√p/∂a = ½√p(1 − p), ∂p/∂a = p(1 − p)
            gradient[i] = dp[i] * (paper ? 0.5 * Math.sqrt(p) : p) * (1 - p);
          }
        },
      },
      fire({ logits, noise, h }) {
        for (let i = 0; i < h.length; i++) {
          const a = noisy(logits[i], noise[2 * i]);
          const p = sigmoid(a);
          const smooth = Math.sqrt(p);
          h[i] = Number.isFinite(a) ? (noise[2 * i + 1] < (paper ? smooth : p) ? smooth : 0) : Number.NaN;
        }
      },
      // h = √p where the gate is open, so that ½h(1 − p) = ½h(1 − h²).
      pullback: pullbackEach((_logit, h) => 0.5 * h * (1 - h * h)),
      expect: (logit) => open(logit + mean) * root(logit + mean),
      whenOpen: (logit) => root(logit + mean),
      formulas: { expect: f.multiply(smooth, paper ? 1 : formula), whenOpen: formula },
    };
  },
});
