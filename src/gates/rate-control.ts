/**
 * Keeps the share of open gates at a target: after every step all biases of the gates move together, and those of gates that are dead or
 * always open by themselves. An integral controller: nothing of it reaches a gradient, and what it has learnt stands in the biases.
 *
 * The error is told in units of the logit: near the target s, a logit that is higher by δ opens s(1−s)·δ more of σ's gates. The setpoint is
 * s, moved against what the epoch has so far: so the mean over the epoch comes to s though training pulls at the gates all the while.
 */

/** Share of the error that one step takes back; under 2 over the steepest gates' slope (three times that of σ at small rates) it is stable. */
const GAIN = 0.25;
/** Fewer open gates than this in a minibatch say less each: the gain falls with their expected number. */
const ENOUGH = 2;
/** Most that a step moves, in units of the logit: with the gain above, noise does not reach it, so that it takes no side. */
const MOST = 0.5;
/** How much of what the epoch's mean is off its remainder is to make up for, and at most how far from s, as a share of it. */
const PULL = 6;
const REACH = 0.5;
/** A gate is dead when it opens for a tenth of the target, and always open when it closes for a tenth of the rest. */
const EDGE = 0.1;
/** A gate's own rate is known when it should have opened so often. */
const KNOWN = 8;
/** What dead gates and those always open move by in a step, in units of the logit. */
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
    // One that has opened in this minibatch is on its way back; what holds the others down must not hold a dead one down.
    const dead = known && rates[j] === 0 && rate < EDGE * target;
    const always = known && rates[j] === 1 && rate > 1 - EDGE * (1 - target);
    bias[j] += dead ? Math.max(0, shift) + NUDGE : always ? Math.min(0, shift) - NUDGE : shift;
  }
}
