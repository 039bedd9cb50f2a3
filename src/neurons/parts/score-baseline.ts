import { sigmoid } from '../../math/special.ts';
import type { NeuronState, Pullback, Update } from '../contract.ts';

export const DECAY = 0.9;

/** The paper's code: both averages start at 1e-6, and the pullback uses the PREVIOUS step's. */
export const scoreBaselineState = { numerator: 1e-6, denominator: 1e-6 } as const;

const baselineOf = (state: NeuronState, unit: number): number =>
  state.numerator ? state.numerator[unit] / state.denominator[unit] : 0;

/** ĝ = (h − σ(a))(L − L̄), L̄ of each unit from its moving averages; 0 without them. */
export function pullScore({ rows, units, logits, h, loss, gradient, state }: Pullback): void {
  for (let row = 0, i = 0; row < rows; row++)
    for (let unit = 0; unit < units; unit++, i++)
      gradient[i] = (h[i] - sigmoid(logits[i])) * (loss[row] - baselineOf(state, unit));
}

/** Moves the averages of w·L and of w on: w = (h − σ(a))² for the baseline of least variance, or 1. */
export function learnScoreBaseline({ rows, units, logits, h, loss, state }: Update, optimal: boolean): void {
  for (let unit = 0; unit < units; unit++) {
    let top = 0;
    let bottom = 0;
    for (let row = 0, i = unit; row < rows; row++, i += units) {
      const weight = optimal ? (h[i] - sigmoid(logits[i])) ** 2 : 1;
      top += weight * loss[row];
      bottom += weight;
    }
    state.numerator[unit] = DECAY * state.numerator[unit] + ((1 - DECAY) * top) / rows;
    state.denominator[unit] = DECAY * state.denominator[unit] + ((1 - DECAY) * bottom) / rows;
  }
}
