import { sigmoid } from '../../math/special.ts';
import type { Update } from '../contract.ts';
import { factorOf, learnedControl } from './learned-control.ts';
import { rebarParts } from './rebar-parts.ts';
import { relaxedGivenSlope } from './relaxed-bits.ts';

/** Values of one row that RELAX needs, one number for each unit. */
interface RelaxRow {
  /** σ(z/λ) and σ(z̃/λ), and how fast they change with the logits. */
  readonly free: Float64Array;
  readonly given: Float64Array;
  readonly freeSlope: Float64Array;
  readonly givenSlope: Float64Array;
  /** b − p */
  readonly score: Float64Array;
  /** ∂ĝ/∂η */
  readonly concrete: Float64Array;
  /** The gradient ĝ. */
  readonly g: Float64Array;
}

/** The rows of a minibatch. */
export function relaxRows(update: Update, lambda: number): RelaxRow[] {
  const { rows, units, logits, noise, h, state } = update;
  const size = rows * units;
  const [a, b] = rebarParts(update, lambda);
  const eta = factorOf(state);
  return Array.from({ length: rows }, (_, row) => {
    const from = row * units;
    const [free, given, freeSlope, givenSlope, score, g] = Array.from({ length: 6 }, () => new Float64Array(units));
    for (let j = 0, i = from; j < units; j++, i++) {
      free[j] = h[size + i];
      given[j] = h[2 * size + i];
      freeSlope[j] = (free[j] * (1 - free[j])) / lambda;
      givenSlope[j] = ((given[j] * (1 - given[j])) / lambda) * relaxedGivenSlope(h[i], logits[i], noise[2 * i + 1]);
      score[j] = h[i] - sigmoid(logits[i]);
    }
    const [r, rGiven] = [learnedControl(state, free), learnedControl(state, given)];
    for (let j = 0, i = from; j < units; j++, i++) {
      const learned = r.slope[j] * freeSlope[j] - rGiven.slope[j] * givenSlope[j] - rGiven.value * score[j];
      g[j] = a[i] + eta * b[i] + learned;
    }
    return { free, given, freeSlope, givenSlope, score, concrete: b.subarray(from, from + units), g };
  });
}
