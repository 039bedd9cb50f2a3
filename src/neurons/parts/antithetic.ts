import { sigmoid } from '../../math/special.ts';
import type { Firing } from '../contract.ts';
import { bit } from './bernoulli.ts';

/** Fires two bits a unit from one uniform number u: 1[u < σ(a)], then 1[u > σ(−a)]. Each is 1 with probability σ(a). */
export function fireAntithetic({ logits, noise, h }: Firing): void {
  const size = logits.length;
  for (let i = 0; i < size; i++) {
    h[i] = bit(logits[i], noise[i]);
    h[size + i] = Number.isFinite(logits[i]) ? (noise[i] > sigmoid(-logits[i]) ? 1 : 0) : Number.NaN;
  }
}

/** Where in u the two bits change. */
export const antitheticCells = (logit: number): number[] => [sigmoid(logit), sigmoid(-logit)];
