import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, openingEach, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

/** P(X ≤ 0), P(X ≤ 1), … P(X ≤ m − 1) of X ~ Binomial(m, p), from the odds p/(1 − p) ≤ 1; stops where `until` is under one. */
function sums(m: number, odds: number, until = 1): number[] {
  let term = (1 / (1 + odds)) ** m;
  const all = [term];
  for (let k = 1; k < m && all[k - 1] <= until; k++) {
    term *= ((m - k + 1) / k) * odds;
    all.push(all[k - 1] + term);
  }
  return all;
}

/** How many of m bits are 1; the less likely value of a bit is counted. The same u gives the bit u < σ(a) where m = 1. */
function count(m: number, logit: number, u: number): number {
  const v = logit >= 0 ? u : 1 - u;
  let rare = 0;
  for (const sum of sums(m, Math.exp(-Math.abs(logit)), v)) if (sum <= v) rare++;
  return logit >= 0 ? m - rare : rare;
}

export const binomial = defineNeuron({
  name: 'binomial',
  source:
    'Teh, Hinton 2001, "Rate-coded restricted Boltzmann machines" (m copies of a binary unit); trained as those of Hinton 2012, lecture 9c',
  summary: "h = Binomial(m, σ(a))/m, from one u; ĝ = δ·σ'(a)",
  options: { m: { minimum: 1, maximum: 64, default: 4, whole: true, meaning: 'bits whose mean it emits' } },
  rule: ({ m }) => ({
    noise: 1,
    reads: 'cotangent',
    range: 'unit-interval',
    claims: { unbiased: false, mean: sigmoid, rate: (logit) => 1 - sigmoid(-logit) ** m },
    cells: (logit) => sums(m, Math.exp(-Math.abs(logit))).map((sum) => (logit >= 0 ? sum : 1 - sum)),
    opening: openingEach(
      (logit) => 1 - sigmoid(-logit) ** m,
      (logit) => m * sigmoid(logit) * sigmoid(-logit) ** m,
    ),
    fire: fireEach((logit, u) => count(m, logit, u) / m),
    pullback: pullbackEach(sigmoidSlope),
    expect: sigmoid,
    // E[h | h > 0] = p/(1 − (1 − p)^m), as a sum of powers of 1 − p.
    whenOpen: (logit) => 1 / Array.from({ length: m - 1 }).reduce<number>((sum) => 1 + sigmoid(-logit) * sum, 1),
    formulas: {
      whenOpen: f.divide(
        1,
        Array.from({ length: m - 1 }).reduce<ReturnType<typeof f.add>>(
          (sum) => f.add(1, f.multiply(f.sigmoid(f.subtract(0, f.logit)), sum)),
          1,
        ),
      ),
    },
    twin: { pullback: 'pullbackLogistic', expect: 'fireSigmoid' },
  }),
});
