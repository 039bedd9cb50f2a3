import { uniforms } from '../kernels/random.ts';
import { allFinite } from '../math/statistics.ts';
import type { Neuron } from '../neurons/contract.ts';
import type { NeuronSpec } from '../neurons/resolve.ts';
import { noiseKey } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { weighDraws } from '../tensor/draws.ts';
import { type BlackBox, evaluateAll } from './black-box.ts';
import { wholeNumber } from './check.ts';
import { copyState, type EstimatorState } from './estimator-state.ts';
import { evaluationsPerRow, resolveLossReader } from './loss-readers.ts';
import { Turns } from './turns.ts';

/** Options of `estimateGradient`. */
export interface EstimateOptions {
  /** A neuron that reads only the loss: a name of the zoo, with options or without, or one of your own. */
  readonly neuron: NeuronSpec;
  /** rows × units, row-major; units are 1 with probability σ(logit), unless the neuron says otherwise. */
  readonly logits: ArrayLike<number>;
  readonly loss: BlackBox;
  /** Rows of the logits, each with a loss and a gradient of its own; default 1. */
  readonly rows?: number;
  /** What the estimate before this one returned; default: the start. */
  readonly state?: EstimatorState | undefined;
  /** Seed of the noise, a whole number in [0, 2⁵³); default 0. The same seed, state and losses give the same bits. */
  readonly seed?: number;
  /** Evaluations that are under way at once, for losses that return promises; default 1. It changes no number. */
  readonly concurrency?: number;
  /** Stops between two evaluations, or while one is awaited: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const NAMES: NamesOf<EstimateOptions> = {
  neuron: true,
  logits: true,
  loss: true,
  rows: true,
  state: true,
  seed: true,
  concurrency: true,
  signal: true,
};

/** Result of `estimateGradient`. */
export interface GradientEstimate {
  /** rows × units: each row's estimate of its own ∂E[loss]/∂logits, not divided by the rows. */
  readonly gradient: Float64Array;
  /** rows: what the losses of the row's draws come to, an estimate of what the neuron minimises (their mean, unless it weighs them). */
  readonly total: Float64Array;
  /** draws·rows, draw after draw: the loss of every evaluation. */
  readonly losses: Float64Array;
  /** draws·rows × units, draw after draw: what was evaluated. */
  readonly bits: Float64Array;
  /** Evaluations of the loss: draws·rows. */
  readonly evaluations: number;
  /** For the next estimate. */
  readonly state: EstimatorState;
}

/**
 * One estimate of ∂E[loss(bits)]/∂logits for a loss that is any JavaScript function of bits, without an engine:
 * bits are drawn, their losses asked for, and the neuron's own learning rule makes the gradient of them. `docs/neurons.md` says of every
 * neuron how many draws it asks for and whether it is unbiased; `vimco` minimises −log mean exp(−loss) of its draws.
 *
 * Noise: number j of row r is element (r, j) of the Philox stream of (seed, step), as at an engine's site of layer 0 and draw 0.
 * Source: Williams 1992, "Simple Statistical Gradient-Following Algorithms", Theorem 1; Mohamed et al. 2020, "Monte Carlo gradient
 * estimation in machine learning", §4; and each neuron's own `source`.
 * @throws RangeError for a neuron that reads ∂loss/∂h, logits that are not finite, shapes or a state that do not fit (the promise rejects)
 * @throws BlackBoxError where the loss throws or gives no finite number; the state that was passed stays as it was
 */
export async function estimateGradient(options: EstimateOptions): Promise<GradientEstimate> {
  checkNames('estimateGradient', options, NAMES);
  const rows = wholeNumber('rows', options.rows ?? 1);
  const logits = checkedLogits(options.logits, rows);
  return estimateWith(checkedEstimator(options), { logits, rows, state: options.state });
}

/** What stays the same from one estimate to the next, checked. */
export interface Estimator {
  readonly neuron: Neuron;
  readonly loss: BlackBox;
  readonly key: readonly [number, number];
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly turns: Turns;
}

/** @throws RangeError or TypeError for options that do not fit */
export function checkedEstimator({
  neuron,
  loss,
  seed = 0,
  concurrency = 1,
  signal,
}: Pick<EstimateOptions, 'neuron' | 'loss' | 'seed' | 'concurrency' | 'signal'>): Estimator {
  if (typeof loss !== 'function')
    throw new TypeError(`\`loss\` is ${typeof loss}. Expected a function of bits that gives a finite number.`);
  return {
    neuron: resolveLossReader(neuron),
    loss,
    key: noiseKey(seed),
    concurrency: wholeNumber('concurrency', concurrency),
    signal,
    turns: new Turns(),
  };
}

/** One estimate at checked logits (rows × units). */
export async function estimateWith(
  { neuron, loss, key, concurrency, signal, turns }: Estimator,
  {
    logits,
    rows,
    state,
  }: { readonly logits: Float64Array; readonly rows: number; readonly state: EstimatorState | undefined },
): Promise<GradientEstimate> {
  const units = logits.length / rows;
  const draws = evaluationsPerRow(neuron, units);
  const { step, averages } = copyState(neuron, units, state);
  signal?.throwIfAborted();
  const noise = new Float64Array(logits.length * neuron.noise);
  uniforms.define(noise, 0, rows, units * neuron.noise, key[0], key[1], step, 0);
  const h = new Float64Array(draws * logits.length);
  const firing = { rows, units, logits, noise, h, state: averages };
  neuron.fire(firing);
  const losses = await evaluateAll({ loss, h, rows, units, step: step + 1, concurrency, signal, turns });
  const [weights, total, gradient] = [losses.length, rows, logits.length].map((size) => new Float64Array(size));
  weighDraws(neuron, { ...firing, loss: losses, weights, total });
  const dh = new Float64Array(0);
  neuron.pullback({ ...firing, loss: losses, dh, gradient });
  neuron.update?.({ ...firing, loss: losses, dh });
  if (!allFinite(gradient) || !Object.values(averages).every(allFinite))
    throw new RangeError(
      `In step ${step + 1} "${neuron.name}" made a gradient or a state that is not finite of losses up to ±${losses.reduce((most, value) => Math.max(most, Math.abs(value)), 0)}. Expected losses of a smaller scale.`,
    );
  return { gradient, total, losses, bits: h, evaluations: losses.length, state: { step: step + 1, averages } };
}

/** A copy of rows × units logits. @throws RangeError for a count that does not fit, or a logit that is not finite */
export function checkedLogits(given: ArrayLike<number>, rows: number): Float64Array {
  const logits = Float64Array.from(given);
  if (logits.length === 0 || logits.length % rows !== 0)
    throw new RangeError(
      `${logits.length} logits were given for \`rows: ${rows}\`. Expected rows × units of them, with 1 unit or more.`,
    );
  const broken = logits.findIndex((logit) => !Number.isFinite(logit));
  const units = logits.length / rows;
  if (broken >= 0)
    throw new RangeError(
      `The logit of unit ${broken % units} in row ${Math.floor(broken / units)} is ${given[broken]}. Expected a finite number.`,
    );
  return logits;
}
