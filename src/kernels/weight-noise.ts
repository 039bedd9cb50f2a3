/** Kernels of noisy weights; see src/nn/weight-noise.ts. */
import { normalQuantile } from '../math/special.ts';
import { vectorGrain, vectors } from './elementwise.ts';
import { kernel } from './kernel.ts';

/** out = mean + deviation·Φ⁻¹(u): a draw from N(mean, deviation²) */
export const perturb = kernel({
  parameters: ['mean*', 'deviation*', 'u*', 'out*', 'n'],
  items: (_mean, _deviation, _u, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, mean, deviation, u, out, n) {
    for (let i = 0; i < n; i++)
      memory[out + i] = memory[mean + i] + memory[deviation + i] * normalQuantile(memory[u + i]);
  },
});

/** sums += g; squares += g² */
export const addMoments = kernel({
  parameters: ['g*', 'sums*', 'squares*', 'n'],
  items: (_g, _sums, _squares, n) => vectors(n),
  grain: vectorGrain,
  define(memory, g, sums, squares, n) {
    for (let i = 0; i < n; i++) {
      memory[sums + i] += memory[g + i];
      memory[squares + i] += memory[g + i] ** 2;
    }
  },
});

/** variance = e^logVariance; deviation = √variance */
export const spread = kernel({
  parameters: ['logVariance*', 'variance*', 'deviation*', 'n'],
  items: (_logVariance, _variance, _deviation, n) => vectors(n),
  grain: vectorGrain,
  define(memory, logVariance, variance, deviation, n) {
    for (let i = 0; i < n; i++) {
      memory[variance + i] = Math.exp(memory[logVariance + i]);
      memory[deviation + i] = Math.sqrt(memory[variance + i]);
    }
  },
});

/**
 * The gradient of share·KL(N(mean, variance) ‖ N(priorMean, priorVariance)) + E[loss] at the mean and at log variance, where
 * E[∂loss/∂w] is `sums` and E[∂²loss/∂w²] is taken to be `squares` (the empirical Fisher information):
 *
 *     dMean = sums + share·(mean − priorMean)/priorVariance
 *     dLogVariance = variance·½(squares + share·(1/priorVariance − 1/variance))
 */
export const descriptionLength = kernel({
  parameters: [
    'mean*',
    'variance*',
    'sums*',
    'squares*',
    'dMean*',
    'dLogVariance*',
    'n',
    'share',
    'priorMean',
    'priorVariance',
  ],
  items: (_mean, _variance, _sums, _squares, _dMean, _dLogVariance, n) => vectors(n),
  grain: vectorGrain,
  define(memory, mean, variance, sums, squares, dMean, dLogVariance, n, share, priorMean, priorVariance) {
    for (let i = 0; i < n; i++) {
      memory[dMean + i] = memory[sums + i] + (share * (memory[mean + i] - priorMean)) / priorVariance;
      const v = memory[variance + i];
      memory[dLogVariance + i] = 0.5 * (v * memory[squares + i] + share * (v / priorVariance - 1));
    }
  },
});
