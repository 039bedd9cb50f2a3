import type { Weighing } from '../contract.ts';

/** `weigh` of neurons whose first draw is the sample, and whose others serve the gradient at the logits alone. */
export function firstDraw({ rows, loss, weights, total }: Weighing): void {
  weights.fill(0);
  weights.fill(1, 0, rows);
  total.set(loss.subarray(0, rows));
}
