import { sigmoid } from '../../math/special.ts';
import type { Firing } from '../contract.ts';

/**
 * P(of K antithetic draws, at most m have the less likely state), m from 0 to K, under the Dirichlet copula: a draw has it where
 * its share of a uniform Dirichlet vector is over t = 1 − q^(1/(K − 1)), q = σ(−|a|). By inclusion and exclusion, with
 * P(given j all have it) = max(0, 1 − j·t)^(K − 1).
 */
export function antitheticCounts(logit: number, K: number): Float64Array {
  const t = 1 - sigmoid(-Math.abs(logit)) ** (1 / (K - 1));
  const exactly = new Float64Array(K + 1);
  // ways: over j of K; signed: (−1)^(j − m)·(m over j).
  for (let j = 0, ways = 1; j <= K && j * t < 1; ways *= (K - j) / (j + 1), j++) {
    const all = ways * (1 - j * t) ** (K - 1);
    for (let m = j, signed = 1; m >= 0; signed *= -m / (j - m + 1), m--) exactly[m] += signed * all;
  }
  for (let m = 1; m <= K; m++) exactly[m] += exactly[m - 1];
  return exactly;
}

/** 1/(1 − correlation of two of the draws): p(1 − p)/(p − P(both 1)). */
export function antitheticFactor(logit: number, K: number): number {
  const q = sigmoid(-Math.abs(logit));
  const both = Math.max(0, 2 * q ** (1 / (K - 1)) - 1) ** (K - 1);
  return both === 0 ? 1 - q : (1 - q) / (1 - both / q);
}

/** P(the next draw is chosen), from the number still to choose and the draws left. */
const shareOf = (left: number, draw: number, K: number): number => left / (K - draw);

/** Fires K antithetic bits a unit, from K noise numbers: how many have the less likely state, then which. */
export function fireCounted({ logits, noise, h }: Firing, K: number): void {
  const size = logits.length;
  for (let i = 0, at = 0; i < size; i++, at += K) {
    const counts = antitheticCounts(logits[i], K);
    const rare = logits[i] < 0 ? 1 : 0;
    let left = 0;
    while (left < K && noise[at] >= counts[left]) left++;
    for (let draw = 0; draw < K; draw++) {
      // If one is still to choose at the last draw, it is that one.
      const chosen = draw === K - 1 ? left > 0 : noise[at + draw + 1] < shareOf(left, draw, K);
      if (chosen) left--;
      h[draw * size + i] = Number.isFinite(logits[i]) ? (chosen ? rare : 1 - rare) : Number.NaN;
    }
  }
}

/** Points of (0, 1) at which the bits jump as a function of noise number `index`, given the earlier ones. */
export function countedCells(logit: number, index: number, before: readonly number[], K: number): number[] {
  const counts = antitheticCounts(logit, K);
  if (index === 0) return [...counts];
  let left = counts.findIndex((most) => before[0] < most);
  for (let draw = 0; draw < index - 1; draw++) if (before[draw + 1] < shareOf(left, draw, K)) left--;
  return [shareOf(left, index - 1, K)];
}
