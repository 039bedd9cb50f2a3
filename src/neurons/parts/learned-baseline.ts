import type { Firing, NeuronState, Numbers, StateSpec } from '../contract.ts';
import { addValueGradient, descend, learnedState, learnedValue } from './learned-control.ts';

/** Hidden units of the paper's network. */
export const HIDDEN = 100;

/** Of the paper's running averages; step of the baseline's weights, in (0, 2) where normalised steps converge. */
export const [DECAY, STEP] = [0.8, 0.5];

const number: StateSpec = { size: () => 1, start: () => 0 };

/** The form of the baseline of a row: linear in x, the input of the layer, a network of `HIDDEN` tanh units on x, or none. */
export type BaselineForm = 'linear' | 'network' | 'nothing';

/** State of a baseline C: its weights, then the moving averages c and s² of what it leaves. */
export const baselineState = (form: BaselineForm): Readonly<Record<string, StateSpec>> => ({
  ...(form === 'network' && learnedState(HIDDEN, (_units, inputs) => inputs)),
  ...(form === 'linear' && { weights: { size: (_units: number, inputs: number) => inputs, start: () => 0 } }),
  mean: number,
  variance: number,
});

/** max(1, s) */
export const baselineScale = ({ variance }: NeuronState): number => Math.max(1, Math.sqrt(variance[0]));

/** x of a row. Black boxes have none but the logits. */
function inputOf({ rows, logits, input = logits }: Firing, row: number): Numbers {
  const inputs = input.length / rows;
  return input.subarray(row * inputs, (row + 1) * inputs);
}

/** C of a row, in the form that the state holds. */
function baseline(state: NeuronState, x: Numbers): number {
  if (state.learned) return learnedValue(state, x);
  let total = 0;
  if (state.weights) for (let i = 0; i < x.length; i++) total += state.weights[i] * x[i];
  return total;
}

/** f − C of every row. @param signal f, one number a row */
export function centred(firing: Firing, signal: ArrayLike<number>): Float64Array {
  const { rows, state } = firing;
  return Float64Array.from({ length: rows }, (_, row) => signal[row] - baseline(state, inputOf(firing, row)));
}

/**
 * Moves the baseline on: C down the gradient of Σ(f − C − c)²/2 (Adam for a network, else normalised least mean squares), then c and s².
 * @param signal f, one number a row
 */
export function learnBaseline(firing: Firing, signal: ArrayLike<number>): void {
  const { rows, state } = firing;
  const f = state.learned ? learnNetwork(firing, signal) : centred(firing, signal);
  const mean = f.reduce((sum, value) => sum + value / rows, 0);
  const variance = f.reduce((sum, value) => sum + (value - mean) ** 2 / rows, 0);
  if (state.weights)
    for (let row = 0; row < rows; row++) {
      const x = inputOf(firing, row);
      let squares = 1;
      for (const value of x) squares += value ** 2;
      const step = (STEP * (f[row] - state.mean[0])) / rows / squares;
      for (let i = 0; i < x.length; i++) state.weights[i] += step * x[i];
    }
  state.mean[0] = DECAY * state.mean[0] + (1 - DECAY) * mean;
  state.variance[0] = DECAY * state.variance[0] + (1 - DECAY) * variance;
}

/** One step of a network. @returns f − C of every row before it */
function learnNetwork(firing: Firing, signal: ArrayLike<number>): Float64Array {
  const { rows, state } = firing;
  const gradient = new Float64Array(state.learned.length);
  const f = Float64Array.from({ length: rows }, (_, row) => {
    const alpha = (value: number): number => -(signal[row] - value - state.mean[0]) / rows;
    return signal[row] - addValueGradient(state, inputOf(firing, row), alpha, gradient);
  });
  descend(state, gradient);
  return f;
}
