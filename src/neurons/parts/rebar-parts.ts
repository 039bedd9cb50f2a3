import { sigmoid } from '../../math/special.ts';
import type { Update } from '../contract.ts';
import { relaxedGivenSlope } from './relaxed-bits.ts';

/** [A, B] of the gradient A + η·B, rows × units: A is REINFORCE, B the concrete control variate of temperature λ. */
export function rebarParts({ rows, units, logits, noise, h, loss, dh }: Update, lambda: number): Float64Array[] {
  const size = rows * units;
  const [a, b] = [new Float64Array(size), new Float64Array(size)];
  for (let row = 0, i = 0; row < rows; row++) {
    const [f, relaxedLoss] = [loss[row], loss[2 * rows + row]];
    for (let unit = 0; unit < units; unit++, i++) {
      const score = h[i] - sigmoid(logits[i]);
      const [z, given] = [h[size + i], h[2 * size + i]];
      const slope = relaxedGivenSlope(h[i], logits[i], noise[2 * i + 1]);
      a[i] = f * score;
      b[i] =
        (dh[size + i] * z * (1 - z) - dh[2 * size + i] * given * (1 - given) * slope) / lambda - relaxedLoss * score;
    }
  }
  return [a, b];
}
