import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { gradientErrors } from './gradient-errors.ts';
import { estimatePoints } from './grid.ts';
import { integrate, type Loss } from './integrate.ts';
import { hasUntoldJointDraws } from './joint-rows.ts';
import { sampleNeuron, warmState } from './sample-neuron.ts';
import { gradientInUse } from './unit-of.ts';

/** Losses of one unit with one setting t, by name. */
export const unitLosses: Readonly<Record<'square' | 'linear' | 'saturating', (t: number) => Loss>> = {
  square: (t) => (h) => ({ loss: (h[0] - t) ** 2, dh: [2 * (h[0] - t)] }),
  linear: (t) => (h) => ({ loss: t * h[0], dh: [t] }),
  saturating: (t) => (h) => {
    const y = Math.tanh(2 * h[0] - t);
    return { loss: y, dh: [2 * (1 - y * y)] };
  },
};

/** Name of a loss of `unitLosses`. */
export type UnitLossName = keyof typeof unitLosses;

/** Options of `lookAtUnit`. */
export interface MicroscopeOptions {
  /** The unit's pre-activation. */
  readonly logit: number;
  readonly loss: Loss;
  /** Of what is drawn; default 1. */
  readonly seed?: number;
  /** Units of the row, all at this logit; the loss of the row is the sum of theirs, and the first unit is looked at. Default 1, at most 64. */
  readonly units?: number;
}

const NAMES: NamesOf<MicroscopeOptions> = { logit: true, loss: true, seed: true, units: true };

/** A bar of a histogram: the share of the draws, in [0, 1], within `from` to `to`. */
export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** One unit, what it emits and what its gradients are worth. */
export interface UnitView {
  /** Of 4,000 draws of h. */
  readonly outputs: readonly Bar[];
  /** E[h]. */
  readonly mean: number;
  /** P(h ≠ 0). */
  readonly rate: number;
  /** Share of the 4,000 draws with h > 0. */
  readonly positive: number;
  /** ∂E[loss]/∂logit. */
  readonly truth: number;
  /** E[ĝ]. */
  readonly gradient: number;
  /** E[ĝ] − truth. */
  readonly bias: number;
  /** Var[ĝ]. */
  readonly variance: number;
  /** bias² + variance. */
  readonly squaredError: number;
  /** Single gradients ĝ; what lies over four standard deviations from their mean is in the outermost bars. */
  readonly gradients: readonly Bar[];
  /** Evaluations of the loss for one ĝ. */
  readonly evaluations: number;
  /**
   * How many ĝ to average until the sign is right 95% of the time, by the normal approximation; Infinity where the mean has the wrong
   * sign or none, NaN where the true gradient is 0.
   */
  readonly drawsForSign: number;
  readonly method: 'integration' | 'sampling';
  /** Gradients that were drawn; 0 where all was integrated. */
  readonly samples: number;
}

const DRAWS = 4000;
/** Gradients that are drawn of a row of one unit; of wider rows fewer by the root of their width. */
const SAMPLES = 40_000;
/** The most nodes that are integrated over. */
const MOST_NODES = 20_000;
const BARS = 41;
/** Φ⁻¹(0.95). */
const NORMAL_95 = 1.6448536269514722;
const MOST_UNITS = 64;
/** Below this a gradient counts as none. */
const NOTHING = 1e-9;
/** First word of the path of the stream that the draws of h come from: the word "micr" in ASCII. */
const STREAM = 0x6d696372;

/** Whether a neuron can be looked at by itself: its unit is coupled to no others. */
export function isSingleUnit(neuron: Neuron): boolean {
  return neuron.jointNoise === undefined && (neuron.group ?? 1) === 1;
}

/** The sum of every unit's own loss. */
function sumOver(units: number, loss: Loss): Loss {
  if (units === 1) return loss;
  return (h) => {
    const dh = new Float64Array(units);
    let total = 0;
    for (let unit = 0; unit < units; unit++) {
      const own = loss(h.subarray(unit, unit + 1));
      total += own.loss;
      dh[unit] = own.dh[0];
    }
    return { loss: total, dh };
  };
}

/**
 * Looks at one unit: the distribution of h, and the distribution of single gradients against the exact gradient of the behaviour;
 * by exact integration over the noise, or by up to 40,000 draws where the grid is too large. Moving averages are those after 50 minibatches.
 * The exact gradient of a unit does not depend on how many there are: the loss is a sum.
 * @throws RangeError for a neuron whose units are coupled or that has fewer of them, a logit that is not finite, or a number of units that
 * is not from 1 to 64
 */
export function lookAtUnit(neuron: Neuron, options: MicroscopeOptions): UnitView {
  checkNames('lookAtUnit', options, NAMES);
  const { logit, loss, seed = 1, units = 1 } = options;
  if (!isSingleUnit(neuron))
    throw new RangeError(`Units of "${neuron.name}" are coupled. Expected a neuron whose units fire independently.`);
  if (!Number.isFinite(logit)) throw new RangeError(`The logit is ${logit}. Expected a finite number.`);
  const most = Math.min(MOST_UNITS, neuron.mostUnits ?? MOST_UNITS);
  if (!Number.isInteger(units) || units < 1 || units > most)
    throw new RangeError(
      `\`units\` is ${units}. Expected a whole number from 1 to ${most}${most < MOST_UNITS ? `, the most of "${neuron.name}"` : ''}.`,
    );
  const logits = new Array<number>(units).fill(logit);
  const sum = sumOver(units, loss);
  const state = warmState(neuron, logits, sum, { minibatches: 50, seed });
  const truth = gradientInUse(neuron, [logit], loss);
  const errors = gradientErrors(truth);
  const values: number[] = [];
  const weights: number[] = [];
  const observe = (weight: number, gradient: Float64Array): void => {
    errors.observe(weight, gradient.subarray(0, 1));
    values.push(gradient[0]);
    weights.push(weight);
  };
  const exact = !hasUntoldJointDraws(neuron) && estimatePoints(neuron, logits, MOST_NODES) <= MOST_NODES;
  const samples = exact ? 0 : Math.round(SAMPLES / Math.sqrt(units));
  const { mean, rate } = exact
    ? integrate(neuron, logits, sum, state, observe)
    : sampleNeuron(neuron, logits, sum, { samples, seed, state, observe });
  const found = errors.result();
  const [gradient, variance] = [found.mean[0], found.variance[0]];
  const outputs = drawOutputs(neuron, logit, seed);
  const bias = gradient - truth[0];
  return {
    outputs: barsOf(outputs, new Array(DRAWS).fill(1), Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
    mean: mean[0],
    rate: rate[0],
    positive: outputs.filter((h) => h > 0).length / DRAWS,
    truth: truth[0],
    gradient,
    bias,
    variance,
    squaredError: bias * bias + variance,
    gradients: barsOf(values, weights, gradient - 4 * Math.sqrt(variance), gradient + 4 * Math.sqrt(variance)),
    evaluations: drawsOf(neuron, units),
    drawsForSign: drawsForSign(truth[0], gradient, variance),
    method: exact ? 'integration' : 'sampling',
    samples,
  };
}

function drawOutputs(neuron: Neuron, logit: number, seed: number): number[] {
  const unit = behaviourOf(neuron);
  const random = randomStream(seed, STREAM);
  const h = new Float64Array(DRAWS * drawsOf(unit, 1));
  const noise = Float64Array.from({ length: DRAWS * unit.noise }, () => random.uniform());
  const logits = new Float64Array(DRAWS).fill(logit);
  unit.fire({ rows: DRAWS, units: 1, logits, noise, h, state: startingState(unit, 1) });
  return Array.from(h.subarray(0, DRAWS));
}

function drawsForSign(truth: number, gradient: number, variance: number): number {
  if (Math.abs(truth) < NOTHING) return Number.NaN;
  const right = gradient * Math.sign(truth);
  if (right < NOTHING) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.ceil((NORMAL_95 ** 2 * variance) / right ** 2));
}

/** A histogram of weighted values; those outside `least` to `most` count in the outermost bars. */
function barsOf(values: readonly number[], weights: readonly number[], least: number, most: number): Bar[] {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    from = Math.min(from, value);
    to = Math.max(to, value);
  }
  from = Math.max(from, least);
  to = Math.min(to, most);
  const width = to - from < NOTHING ? 0.02 : (to - from) / (BARS - 1);
  const start = from - width / 2;
  const shares = new Float64Array(BARS);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  values.forEach((value, i) => {
    const bar = Math.min(BARS - 1, Math.max(0, Math.floor((value - start) / width)));
    shares[bar] += weights[i] / total;
  });
  return Array.from(shares, (share, i) => ({ from: start + i * width, to: start + (i + 1) * width, share })).filter(
    ({ share }) => share > 0,
  );
}
