import { sigmoid } from '../math/special.ts';
import type { Firing, NeuronState, StateSpec } from './contract.ts';
import { addControlGradient, descend, learnedControl, learnedState } from './learned-control.ts';

/** Hidden units of the paper's network. */
export const HIDDEN = 100;

/** Of the paper's running averages; step of the baseline's weights, in (0, 2) where normalised steps converge. */
export const [DECAY, STEP] = [0.8, 0.5];

const number: StateSpec = { size: () => 1, start: () => 0 };

/** The form of the baseline of a row: linear in σ(a), a network of `HIDDEN` tanh units on σ(a), or none. */
export type BaselineForm = 'linear' | 'network' | 'nothing';

/** State of a baseline C: its weights, then the moving averages c and s² of what it leaves. */
export const baselineState = (form: BaselineForm): Readonly<Record<string, StateSpec>> => ({
  ...(form === 'network' && learnedState(HIDDEN)),
  ...(form === 'linear' && { weights: 0 }),
  mean: number,
  variance: number,
});

/** max(1, s) */
export const baselineScale = ({ variance }: NeuronState): number => Math.max(1, Math.sqrt(variance[0]));

const probabilities = (logits: Firing['logits'], row: number, units: number): Float64Array =>
  Float64Array.from({ length: units }, (_, j) => sigmoid(logits[row * units + j]));

/** C of the probabilities of a row, in the form that the state holds. */
function baseline(state: NeuronState, p: Float64Array): number {
  if (state.learned) return learnedControl(state, p).value;
  return state.weights ? p.reduce((total, value, j) => total + state.weights[j] * value, 0) : 0;
}

/** f − C of every row. @param signal f, one number a row */
export function centred({ rows, units, logits, state }: Firing, signal: ArrayLike<number>): Float64Array {
  return Float64Array.from(
    { length: rows },
    (_, row) => signal[row] - baseline(state, probabilities(logits, row, units)),
  );
}

/**
 * Moves the baseline on: C down the gradient of Σ(f − C − c)²/2 (Adam for a network, else normalised least mean squares), then c and s².
 * @param signal f, one number a row
 */
export function learnBaseline(firing: Firing, signal: ArrayLike<number>): void {
  const { rows, units, logits, state } = firing;
  const f = centred(firing, signal);
  const mean = f.reduce((sum, value) => sum + value / rows, 0);
  const variance = f.reduce((sum, value) => sum + (value - mean) ** 2 / rows, 0);
  const gradient = new Float64Array(state.learned?.length ?? 0);
  const nothing = new Float64Array(units);
  for (let row = 0; row < rows; row++) {
    const p = probabilities(logits, row, units);
    const error = (f[row] - state.mean[0]) / rows;
    if (state.learned) addControlGradient(state, p, -error, nothing, gradient);
    if (state.weights) {
      const step = (STEP * error) / (1 + p.reduce((sum, value) => sum + value ** 2, 0));
      for (let j = 0; j < units; j++) state.weights[j] += step * p[j];
    }
  }
  if (state.learned) descend(state, gradient);
  state.mean[0] = DECAY * state.mean[0] + (1 - DECAY) * mean;
  state.variance[0] = DECAY * state.variance[0] + (1 - DECAY) * variance;
}
