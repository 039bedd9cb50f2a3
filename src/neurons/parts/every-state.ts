import { sigmoid } from '../../math/special.ts';
import type { Firing, Numbers, Pullback, Weighing } from '../contract.ts';

/** P(state) of every state of the units of a row; bit j of a state is unit j. */
function probabilities(logits: Numbers): Float64Array {
  const all = new Float64Array(2 ** logits.length).fill(1, 0, 1);
  for (let j = 0; j < logits.length; j++)
    for (let state = 0; state < 2 ** j; state++) {
      all[state + 2 ** j] = all[state] * sigmoid(logits[j]);
      all[state] *= sigmoid(-logits[j]);
    }
  return all;
}

/** Fires every state of the units of a row, state after state. */
export function fireStates({ units, logits, h }: Firing): void {
  for (let i = 0; i < h.length; i++) {
    const state = Math.floor(i / logits.length);
    h[i] = Number.isFinite(logits[i % logits.length]) ? (state >> (i % units)) & 1 : Number.NaN;
  }
}

/** Every state weighs its probability. */
export function weighStates({ rows, units, logits, loss, weights, total }: Weighing): void {
  total.fill(0);
  for (let row = 0; row < rows; row++)
    probabilities(logits.subarray(row * units, (row + 1) * units)).forEach((probability, state) => {
      weights[state * rows + row] = probability;
      total[row] += probability * loss[state * rows + row];
    });
}

/** gradient = Σ_h f(h)·P(h)·(h − σ(a)) */
export function pullStates({ rows, units, logits, loss, gradient }: Pullback): void {
  for (let row = 0; row < rows; row++) {
    const own = logits.subarray(row * units, (row + 1) * units);
    const parts = probabilities(own).map((probability, state) => probability * loss[state * rows + row]);
    const total = parts.reduce((sum, part) => sum + part, 0);
    for (let j = 0; j < units; j++) {
      let open = 0;
      for (let state = 0; state < parts.length; state++) if ((state >> j) & 1) open += parts[state];
      gradient[row * units + j] = open - sigmoid(own[j]) * total;
    }
  }
}
