import type { GradientObserver } from './integrate.ts';

/** How single gradients stand to the true one; vectors have one number a unit. */
export interface GradientErrors {
  /** ∂E[loss]/∂logits. */
  readonly truth: Float64Array;
  /** E[ĝ]. */
  readonly mean: Float64Array;
  /** Var[ĝ]. */
  readonly variance: Float64Array;
  /** Cosine of E[ĝ] with the true gradient: what is left when the noise is averaged away. NaN where one of them is 0. */
  readonly cosine: number;
  /** Mean cosine of single draws of ĝ with the true gradient; a draw of 0 counts as 0. */
  readonly cosineOfDraws: number;
  /** Share of units, in [0, 1], where E[ĝ] has the sign of the true gradient. */
  readonly signs: number;
  /** Share of single draws and units where ĝ has the sign of the true gradient; 0 has neither. */
  readonly signsOfDraws: number;
}

/** Gathers them: `observe` sees every draw with its weight, `result` divides by the total weight. */
export function gradientErrors(truth: Float64Array): {
  /** Takes a draw with its weight. */
  observe: GradientObserver;
  /** Errors over the draws so far. */
  result(): GradientErrors;
} {
  const units = truth.length;
  const sums = new Float64Array(units);
  const squares = new Float64Array(units);
  const size = norm(truth);
  const sign = truth.map(Math.sign);
  let [total, cosines, agreeing] = [0, 0, 0];
  return {
    observe(weight, gradient) {
      let [product, square, same] = [0, 0, 0];
      for (let unit = 0; unit < units; unit++) {
        const g = gradient[unit];
        sums[unit] += weight * g;
        squares[unit] += weight * g * g;
        product += g * truth[unit];
        square += g * g;
        if (Math.sign(g) === sign[unit]) same++;
      }
      total += weight;
      if (square > 0) cosines += (weight * product) / Math.sqrt(square);
      agreeing += weight * same;
    },
    result() {
      const mean = sums.map((sum) => sum / total);
      const variance = squares.map((square, unit) => Math.max(0, square / total - mean[unit] ** 2));
      return {
        truth,
        mean,
        variance,
        cosine: cosineOf(mean, truth),
        cosineOfDraws: size > 0 ? cosines / (total * size) : Number.NaN,
        signs: mean.filter((value, unit) => Math.sign(value) === sign[unit]).length / units,
        signsOfDraws: agreeing / (total * units),
      };
    },
  };
}

/** Euclidean norm. */
export function norm(vector: ArrayLike<number>): number {
  let square = 0;
  for (let i = 0; i < vector.length; i++) square += vector[i] * vector[i];
  return Math.sqrt(square);
}

/** Cosine of the angle between two vectors; NaN where one is 0 and has no direction. */
export function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let product = 0;
  for (let i = 0; i < a.length; i++) product += a[i] * b[i];
  const scale = norm(a) * norm(b);
  return scale > 0 ? product / scale : Number.NaN;
}
