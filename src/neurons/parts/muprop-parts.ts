import { sigmoid } from '../../math/special.ts';
import type { Firing, Update } from '../contract.ts';
import { bit } from './bernoulli.ts';

/** Fires a bit a unit, and as the second draw the mean-field pass: σ(a). */
export function fireWithMeans({ logits, noise, h }: Firing): void {
  const size = logits.length;
  for (let i = 0; i < size; i++) {
    h[i] = bit(logits[i], noise[i]);
    h[size + i] = sigmoid(logits[i]);
  }
}

/** f(h) − f(p) − f′(p)·(h − p), what its first-order expansion about the means leaves of the loss: one number a row. */
export function residuals({ rows, units, logits, h, loss, dh }: Omit<Update, 'noise'>): Float64Array {
  const size = logits.length;
  return Float64Array.from({ length: rows }, (_, row) => {
    let expansion = loss[rows + row];
    for (let i = row * units; i < (row + 1) * units; i++) expansion += dh[size + i] * (h[i] - h[size + i]);
    return loss[row] - expansion;
  });
}
