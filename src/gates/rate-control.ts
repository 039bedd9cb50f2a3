/**
 * Keeps the share of open gates at a target s. After every step all biases of the gates move by the same amount; biases of dead and of always
 * open gates also move separately. It is an integral controller: it reaches no gradient, and its state is the biases.
 *
 * The error is measured in units of the logit: near s, raising a logit by δ opens s(1−s)·δ more gates. The setpoint is s, corrected by the
 * epoch's error so far, so that the mean over the epoch is s although training pulls at the gates in every step.
 */

/** Share of the error that one step takes back; under 2 over the steepest gates' slope (three times that of σ at small rates) it is stable. */
const GAIN = 0.25;
/** With fewer expected open gates in a minibatch than this, the gain falls in proportion. */
const ENOUGH = 2;
/** The largest step, in units of the logit. With the gain above noise does not reach it, so that clipping adds no bias. */
const MOST = 0.5;
/** The share of the epoch's error that the rest of the epoch corrects, and the largest correction as a share of s. */
const PULL = 6;
const REACH = 0.5;
/** A gate is dead when it opens for a tenth of the target, and always open when it closes for a tenth of the rest. */
const EDGE = 0.1;
/** A gate's own rate is known when it should have opened so often. */
const KNOWN = 8;
/** Step of the biases of dead and of always open gates, in units of the logit. */
const NUDGE = 0.05;

/** What gates did in a minibatch, and in the epoch so far. */
export interface GateCounts {
  /** Share of the minibatch for which each gate was open. */
  readonly rates: ArrayLike<number>;
  /** Rows of the minibatch. */
  readonly rows: number;
  /** For how many rows of the epoch each gate was open, the minibatch included. */
  readonly opened: ArrayLike<number>;
  /** Rows of the epoch. */
  readonly seen: number;
}

const meanOf = (values: ArrayLike<number>, units: number): number => {
  let total = 0;
  for (let j = 0; j < units; j++) total += values[j];
  return total / units;
};

/** How far all biases are to move. @param target share of open gates, in (0, 1) */
export function commonShift(target: number, { rates, rows, opened, seen }: GateCounts): number {
  const units = rates.length;
  const share = meanOf(rates, units);
  const sofar = meanOf(opened, units) / Math.max(1, seen);
  const off = Math.min(REACH, Math.max(-REACH, PULL * (1 - sofar / target)));
  const setpoint = Math.min(0.99, target * (1 + off));
  const gain = GAIN * Math.min(1, (rows * units * Math.min(target, 1 - target)) / ENOUGH);
  const shift = (gain * (setpoint - share)) / (target * (1 - target));
  return Math.min(MOST, Math.max(-MOST, shift));
}

/** Moves the biases after a step. */
export function steer(target: number, counts: GateCounts, bias: Float32Array | Float64Array): void {
  const shift = commonShift(target, counts);
  const { rates, opened, seen } = counts;
  const known = seen * Math.min(target, 1 - target) >= KNOWN;
  for (let j = 0; j < bias.length; j++) {
    const rate = opened[j] / seen;
    // A gate that opened in this minibatch is recovering. The common step must not push a dead gate down.
    const dead = known && rates[j] === 0 && rate < EDGE * target;
    const always = known && rates[j] === 1 && rate > 1 - EDGE * (1 - target);
    bias[j] += dead ? Math.max(0, shift) + NUDGE : always ? Math.min(0, shift) - NUDGE : shift;
  }
}
