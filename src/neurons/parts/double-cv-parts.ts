import { sigmoid } from '../../math/special.ts';
import type { Update } from '../contract.ts';

/** [A, B] of ĝ = A + α·B: A is leave-one-out REINFORCE, B the two control variates. */
export function doubleCvParts({ rows, units, logits, h, loss, dh }: Update): readonly Float64Array[] {
  const size = rows * units;
  const [a, b, p] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  for (let row = 0, from = 0; row < rows; row++, from += units) {
    // b₁ − c₁ of the paper, over α.
    let linear = 0;
    for (let i = from; i < from + units; i++) {
      p[i] = sigmoid(logits[i]);
      linear += dh[size + i] * (h[i] - p[i]) - dh[i] * (h[size + i] - p[i]);
    }
    for (let i = from; i < from + units; i++) {
      const score = 0.5 * (h[i] - h[size + i]);
      a[i] = (loss[row] - loss[rows + row]) * score;
      b[i] = linear * score - 0.5 * (dh[i] + dh[size + i]) * p[i] * (1 - p[i]);
    }
  }
  return [a, b];
}
