import { sigmoid, softplus } from '../../math/special.ts';
import type { Firing } from '../contract.ts';
import { COLDEST, HOTTEST } from './adaptive-temperature.ts';
import { bernoulli, bit, unbiasedBits } from './bernoulli.ts';
import { firstDraw } from './first-draw.ts';

/** What REBAR and RELAX share: three draws, from two noise numbers u and v. Only the first, the sample, weighs. */
export const relaxedBits = {
  ...bernoulli,
  noise: 2,
  draws: 3,
  reads: 'both',
  claims: unbiasedBits,
  cells: (logit: number, index: number): number[] => (index === 0 ? [sigmoid(logit)] : []),
  weigh: firstDraw,
} as const;

/** λ, as it starts. */
export const startingTemperature = {
  minimum: COLDEST,
  maximum: HOTTEST,
  default: 0.5,
  meaning: 'λ: temperature at the start, which divides the relaxed logit; it adapts',
} as const;

/** z = a − log(u/(1 − u)): a logistic number around a, over 0 where b = 1[u < σ(a)] is 1. */
export const relaxed = (logit: number, u: number): number => logit + Math.log1p(-u) - Math.log(u);

/** z̃: such a number given b, from v; over 0 where b is 1. */
export const relaxedGiven = (b: number, logit: number, v: number): number =>
  b === 1 ? softplus(logit + Math.log1p(-v)) - Math.log(v) : Math.log1p(-v) - softplus(Math.log(v) - logit);

/** ∂z̃/∂a. */
export const relaxedGivenSlope = (b: number, logit: number, v: number): number =>
  b === 1 ? (1 - v) / (1 - v + Math.exp(-logit)) : v / (v + Math.exp(logit));

/** Fires b, σ(z/λ) and σ(z̃/λ). */
export function fireRelaxed({ logits, noise, h }: Firing, lambda: number): void {
  const size = logits.length;
  for (let i = 0; i < size; i++) {
    const [a, u, v] = [logits[i], noise[2 * i], noise[2 * i + 1]];
    h[i] = bit(a, u);
    h[size + i] = sigmoid(relaxed(a, u) / lambda);
    h[2 * size + i] = sigmoid(relaxedGiven(h[i], a, v) / lambda);
  }
}
