import type { NeuronState, StateSpec } from '../contract.ts';

/** Share of the past in the moving averages. */
const DECAY = 0.95;
/** Distance in log λ of the two temperatures that alternate. */
const SPREAD = 0.25;
/** Largest step of log λ. */
const RATE = 0.03;
/** Bounds of log λ. */
export const [COLDEST, HOTTEST] = [0.01, 100];

const numbers = (count: number): StateSpec => ({ size: () => count, start: () => 0 });

/**
 * State of a temperature that adapts: how far log λ has moved; which of the two temperatures is next; moving averages of ĝ² at the colder and
 * the hotter temperature; the same of ĝ without control variates.
 */
export const temperatureState: Readonly<Record<'warmth' | 'turn' | 'moments', StateSpec>> = {
  warmth: numbers(1),
  turn: numbers(1),
  moments: numbers(4),
};

const isHot = ({ turn }: NeuronState): boolean => turn[0] > 0.5;

/** λ of this step, slightly below or above the learned one. The estimator stays unbiased, since λ does not depend on the step's noise. */
export function temperatureOf(state: NeuronState, start: number): number {
  const log = state.warmth[0] + ((isHot(state) ? 1 : -1) * SPREAD) / 2;
  return Math.min(HOTTEST, Math.max(COLDEST, start * Math.exp(log)));
}

/**
 * Moves λ down the finite difference of the variance in log λ. The mean square serves as the variance: both temperatures have the same mean.
 * Dividing by the mean square of the part without control variates removes the difference between the two minibatches. No evaluation of the loss.
 * @param gradient ĝ @param plain the same without control variates
 */
export function learnTemperature(
  state: NeuronState,
  start: number,
  gradient: ArrayLike<number>,
  plain: ArrayLike<number>,
): void {
  const { warmth, turn, moments } = state;
  const at = isHot(state) ? 1 : 0;
  [gradient, plain].forEach((values, part) => {
    let square = 0;
    for (let i = 0; i < values.length; i++) square += values[i] ** 2 / values.length;
    moments[2 * part + at] = DECAY * moments[2 * part + at] + (1 - DECAY) * square;
  });
  turn[0] = 1 - at;
  const [cold, hot, coldPlain, hotPlain] = moments;
  const slope = (Math.log(hot) - Math.log(hotPlain) - (Math.log(cold) - Math.log(coldPlain))) / SPREAD;
  if (!Number.isFinite(slope)) return;
  const moved = warmth[0] - RATE * Math.min(1, Math.max(-1, slope));
  warmth[0] = Math.min(Math.log(HOTTEST / start), Math.max(Math.log(COLDEST / start), moved));
}
