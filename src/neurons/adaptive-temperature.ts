import type { NeuronState, StateSpec } from './contract.ts';

/** Share of the past in the moving averages. */
const DECAY = 0.95;
/** How far the two temperatures that take turns are apart, in log λ. */
const SPREAD = 0.25;
/** Largest step of log λ. */
const RATE = 0.03;
/** Where it stays. */
export const [COLDEST, HOTTEST] = [0.01, 100];

const numbers = (count: number): StateSpec => ({ size: () => count, start: () => 0 });

/**
 * State of a temperature that adapts: what log λ has moved by, whose turn it is, and moving averages of the gradient's square at the colder
 * and the hotter temperature, then of that of its part without control variates.
 */
export const temperatureState: Readonly<Record<'warmth' | 'turn' | 'moments', StateSpec>> = {
  warmth: numbers(1),
  turn: numbers(1),
  moments: numbers(4),
};

const isHot = ({ turn }: NeuronState): boolean => turn[0] > 0.5;

/** λ of this step, a little under or over the one that is learned: an estimator is unbiased with any λ that its noise does not decide. */
export function temperatureOf(state: NeuronState, start: number): number {
  const log = state.warmth[0] + ((isHot(state) ? 1 : -1) * SPREAD) / 2;
  return Math.min(HOTTEST, Math.max(COLDEST, start * Math.exp(log)));
}

/**
 * Moves λ down the finite difference of the variance in log λ. Its mean square is as good as its variance, since the mean is the same; that of
 * the part without control variates takes away what differs between the minibatches of the two. It costs no evaluation of the loss.
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
