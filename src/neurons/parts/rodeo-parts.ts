import { sigmoid } from '../../math/special.ts';
import type { Update } from '../contract.ts';

/**
 * [A, B_1, B_2, B_3], rows × units: A is leave-one-out REINFORCE. The B are what the Stein operator of Gibbs sampling, times the units,
 * (𝒜g)(h) = Σ_d P(unit d flips)(g(flip_d h) − g(h)), makes of two surrogates of f that a draw gets from the others: their mean
 * loss, and ℓ(y) = mean of f_j'·(y − h_j). B_1 takes 𝒜ℓ from the losses in the baseline; B_2 is 𝒜(ℓ·(h − p)), B_3 𝒜(mean loss·(h − p)).
 */
export function rodeoParts({ rows, units, logits, h, loss, dh }: Update): readonly Float64Array[] {
  const size = rows * units;
  const draws = h.length / size;
  const all = Array.from({ length: 4 }, () => new Float64Array(size));
  const [p, gradients] = [new Float64Array(units), new Float64Array(units)];
  const [linear, stein] = [new Float64Array(draws), new Float64Array(draws)];
  for (let row = 0, from = 0; row < rows; row++, from += units) {
    gradients.fill(0);
    let [losses, atDraws, steins] = [0, 0, 0];
    for (let j = 0; j < units; j++) p[j] = sigmoid(logits[from + j]);
    for (let k = 0, at = from; k < draws; k++, at += size) {
      losses += loss[k * rows + row];
      for (let j = 0; j < units; j++) gradients[j] += dh[at + j];
      for (let j = 0; j < units; j++) atDraws += dh[at + j] * h[at + j];
    }
    for (let k = 0, at = from; k < draws; k++, at += size) {
      // ℓ_k(h_k) and (𝒜ℓ_k)(h_k), over K − 1.
      [linear[k], stein[k]] = [-atDraws, 0];
      for (let j = 0; j < units; j++) {
        const others = gradients[j] - dh[at + j];
        linear[k] += gradients[j] * h[at + j];
        stein[k] -= others * (h[at + j] - p[j]);
      }
      steins += stein[k];
    }
    for (let k = 0, at = from; k < draws; k++, at += size) {
      const others = losses - loss[k * rows + row];
      const scale = 1 / (draws * (draws - 1));
      for (let j = 0; j < units; j++) {
        const score = (h[at + j] - p[j]) * scale;
        const flip = (gradients[j] - dh[at + j]) * (1 - 2 * h[at + j]);
        all[0][from + j] += score * ((draws - 1) * loss[k * rows + row] - others);
        all[1][from + j] += (score * (stein[k] - steins)) / (draws - 1);
        all[2][from + j] += score * (stein[k] - linear[k] - flip);
        all[3][from + j] -= score * others;
      }
    }
  }
  return all;
}
