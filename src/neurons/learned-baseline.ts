import { sigmoid } from '../math/special.ts';
import type { NeuronState, Update } from './contract.ts';

/** Of the paper's running averages; step of the baseline's weights, in (0, 2) where normalised steps converge. */
export const [DECAY, STEP] = [0.8, 0.5];

/** max(1, s) */
export const baselineScale = ({ variance }: NeuronState): number => Math.max(1, Math.sqrt(variance[0]));

/** f − C(x) of every row, C linear in the probabilities of its units. */
export function centred({ rows, units, logits, loss, state }: Omit<Update, 'dh'>): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = loss[row];
    for (let j = 0; j < units; j++) sum -= state.weights[j] * sigmoid(logits[row * units + j]);
    return sum;
  });
}

/** Moves the baseline on: C by a normalised least-mean-squares step, then c and v. */
export function learnBaseline(update: Update): void {
  const { rows, units, logits, state } = update;
  const f = centred(update);
  const mean = f.reduce((sum, value) => sum + value / rows, 0);
  const variance = f.reduce((sum, value) => sum + (value - mean) ** 2 / rows, 0);
  for (let row = 0; row < rows; row++) {
    const p = Float64Array.from({ length: units }, (_, j) => sigmoid(logits[row * units + j]));
    const step = (STEP * (f[row] - state.mean[0])) / rows / (1 + p.reduce((sum, value) => sum + value ** 2, 0));
    for (let j = 0; j < units; j++) state.weights[j] += step * p[j];
  }
  state.mean[0] = DECAY * state.mean[0] + (1 - DECAY) * mean;
  state.variance[0] = DECAY * state.variance[0] + (1 - DECAY) * variance;
}
