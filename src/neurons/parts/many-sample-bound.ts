import type { Weighing } from '../contract.ts';

/** log of the mean of exp(x[k]). */
export function logMeanExp(x: Float64Array): number {
  const most = x.reduce((a, b) => Math.max(a, b));
  return most + Math.log(x.reduce((sum, value) => sum + Math.exp(value - most), 0) / x.length);
}

/** The bound, and the share of each draw in it: the weights are ∂bound/∂loss. */
export function weighBound({ rows, loss, weights, total }: Weighing): void {
  const logs = new Float64Array(loss.length / rows);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < logs.length; k++) logs[k] = -loss[k * rows + row];
    const log = logMeanExp(logs);
    total[row] = -log;
    for (let k = 0; k < logs.length; k++) weights[k * rows + row] = Math.exp(logs[k] - log) / logs.length;
  }
}
