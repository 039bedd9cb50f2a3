import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { type Firing, openingEach, type Pullback } from '../contract.ts';

/** 1 where the uniform number is under p = σ(a); NaN where the logit is NaN or infinite. */
export const bit = (logit: number, u: number): number =>
  Number.isFinite(logit) ? (u < sigmoid(logit) ? 1 : 0) : Number.NaN;

/** The facts shared by all units that emit h = 1[u < σ(a)] in use, u their first noise number. */
export const bernoulli = {
  range: 'unit-interval',
  opening: openingEach(sigmoid, sigmoidSlope),
  sample({ logits, noise, h }: Firing): void {
    const numbers = noise.length / h.length;
    for (let i = 0; i < h.length; i++) h[i] = bit(logits[i], noise[i * numbers]);
  },
  expect: sigmoid,
  whenOpen: () => 1,
} as const;

/** Claims of units whose draws are all Bernoulli(σ(a)). */
export const unbiasedBits = { unbiased: true, mean: sigmoid, rate: sigmoid } as const;

/** Fires `draws` independent bits a unit, from as many noise numbers. */
export function fireBits({ logits, noise, h }: Firing): void {
  const draws = h.length / logits.length;
  for (let i = 0, at = 0; i < logits.length; i++) {
    const p = sigmoid(logits[i]);
    const closed = Number.isFinite(logits[i]) ? 0 : Number.NaN;
    for (let draw = 0; draw < draws; draw++, at++) h[draw * logits.length + i] = (noise[at] < p ? 1 : 0) + closed;
  }
}

/** Lifts gradient = f(row, i), i the place of the unit in the logits, to arrays. */
export function pullEach({ rows, units, gradient }: Pullback, f: (row: number, i: number) => number): void {
  for (let row = 0, i = 0; row < rows; row++) for (let unit = 0; unit < units; unit++, i++) gradient[i] = f(row, i);
}
