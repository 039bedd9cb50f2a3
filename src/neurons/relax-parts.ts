import { sigmoid } from '../math/special.ts';
import type { Update } from './contract.ts';
import { factorOf, learnedControl } from './learned-control.ts';
import { rebarParts } from './rebar-parts.ts';
import { relaxed, relaxedGiven, relaxedGivenSlope } from './relaxed-bits.ts';

/** ĝ of every row, and with it z, z̃, ∂z̃/∂a, b − p and ∂ĝ/∂η: one number a unit. */
export function relaxRows(update: Update, lambda: number) {
  const { rows, units, logits, noise, h, state } = update;
  const [a, b] = rebarParts(update, lambda);
  return Array.from({ length: rows }, (_, row) => {
    const each = (f: (i: number) => number) => Float64Array.from({ length: units }, (_, unit) => f(row * units + unit));
    const z = each((i) => relaxed(logits[i], noise[2 * i]));
    const given = each((i) => relaxedGiven(h[i], logits[i], noise[2 * i + 1]));
    const slope = each((i) => relaxedGivenSlope(h[i], logits[i], noise[2 * i + 1]));
    const score = each((i) => h[i] - sigmoid(logits[i]));
    const [r, rGiven] = [learnedControl(state, z), learnedControl(state, given)];
    const concrete = b.subarray(row * units, (row + 1) * units);
    const g = concrete.map((value, j) => {
      const learned = r.slope[j] - rGiven.slope[j] * slope[j] - rGiven.value * score[j];
      return a[row * units + j] + factorOf(state) * value + learned;
    });
    return { g, z, given, slope, score, concrete };
  });
}
