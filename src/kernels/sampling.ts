import { logit, normalQuantile } from '../math/special.ts';
import { vectorGrain, vectors } from './elementwise.ts';
import { kernel } from './kernel.ts';

/** out = 1[u < p] */
export const bernoulli = kernel({
  parameters: ['u*', 'p*', 'out*', 'n'],
  items: (_u, _p, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, u, p, out, n) {
    for (let i = 0; i < n; i++) memory[out + i] = memory[u + i] < memory[p + i] ? 1 : 0;
  },
});

/** out = scale·log(u/(1−u)): logistic noise from uniforms */
export const logistic = kernel({
  parameters: ['u*', 'out*', 'n', 'scale'],
  items: (_u, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, u, out, n, scale) {
    for (let i = 0; i < n; i++) memory[out + i] = scale * logit(memory[u + i]);
  },
});

/** out = scale·Φ⁻¹(u): normal noise from uniforms */
export const normal = kernel({
  parameters: ['u*', 'out*', 'n', 'scale'],
  items: (_u, _out, n) => vectors(n),
  grain: vectorGrain,
  define(memory, u, out, n, scale) {
    for (let i = 0; i < n; i++) memory[out + i] = scale * normalQuantile(memory[u + i]);
  },
});
