import { logit as logisticQuantile, sigmoid, softplus } from '../../math/special.ts';
import { LEAST_OPEN } from '../contract.ts';
import { type Formula, f } from '../formula.ts';

const clip = (x: number): number => Math.min(1, Math.max(0, x));

/** Functions of hard concrete gates with temperature β, stretched to (γ, ζ): `shut` and `full` are the logits in P(h ≠ 0) = σ(a − shut), P(h = 1) = σ(a − full). */
export function hardConcreteParts(beta: number, gamma: number, zeta: number) {
  const width = zeta - gamma;
  const shut = beta * Math.log(-gamma / zeta);
  const full = beta * Math.log((1 - gamma) / (zeta - 1));
  const stretched = (x: number): number => clip(sigmoid(x) * width + gamma);
  const rate = (logit: number): number => sigmoid(logit - shut);
  const stretchedFormula = (x: Formula): Formula => f.clip(f.add(f.multiply(f.sigmoid(x), width), gamma), 0, 1);
  const past = f.subtract(f.logit, shut);
  return {
    shut,
    full,
    rate,
    fire: (logit: number, u: number): number => stretched((logisticQuantile(u) + logit) / beta),
    slope: (_logit: number, h: number): number => (h > 0 && h < 1 ? ((h - gamma) * (zeta - h)) / (width * beta) : 0),
    /** Eq. 13, the gate of the paper's tests: no noise and no temperature. */
    expect: stretched,
    /** The median of h given h ≠ 0: u = 1 − rate/2, with log(rate) = −softplus(shut − a). */
    whenOpen(logit: number): number {
      const quantile = Math.log(2 - rate(logit)) + softplus(shut - logit);
      return Math.max(LEAST_OPEN, stretched((quantile + logit) / beta));
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
}
