import type { GateRates } from './gate-rates.ts';

/**
 * What each unit of a site tells of the class: the mutual information I(open; class) = Σ_c p_c·KL(r_c ‖ r) in bits, with p_c the
 * classes' shares of the examples, r_c the rates by class and r the rate over all. 0: it opens alike for every class; at most 1, or
 * the entropy of the classes where that is less. Estimated from n examples it is too large by about (classes − 1)/(2n·ln 2) bits, as far
 * as the unit is neither always open nor always closed. Source: Shannon 1948; the bias: Miller 1955.
 * @returns one number a unit
 */
export function gateInformation({ units, rates, examples }: GateRates): Float64Array {
  const total = examples.reduce((sum, count) => sum + count, 0);
  return Float64Array.from({ length: units }, (_, unit) => {
    const rateOf = (label: number): number => rates[label * units + unit];
    let rate = 0;
    for (let c = 0; c < examples.length; c++) rate += (examples[c] / total) * rateOf(c);
    let bits = 0;
    for (let c = 0; c < examples.length; c++) {
      const own = rateOf(c);
      bits += (examples[c] / total) * (term(own, rate) + term(1 - own, 1 - rate));
    }
    // What is left of rounding.
    return Math.max(0, bits);
  });
}

/** p·log₂(p/q), of which 0 is the limit. */
const term = (p: number, q: number): number => (p > 0 ? p * Math.log2(p / q) : 0);
