import type { NeuronSpec } from '../neurons/resolve.ts';
import { adam, type Optimizer, type OptimizerName, resolveOptimizer } from '../optim/index.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { type OptimizedArray, optimizedArray } from './array-optimizer.ts';
import type { BlackBox } from './black-box.ts';
import { wholeNumber } from './check.ts';
import {
  checkedEstimator,
  checkedLogits,
  type Estimator,
  estimateWith,
  type GradientEstimate,
} from './estimate-gradient.ts';
import type { EstimatorState } from './estimator-state.ts';
import { evaluationsPerRow } from './loss-readers.ts';

/** Options of `optimizeBits`. */
export interface OptimizeBitsOptions {
  /** A neuron that reads only the loss: a name of the zoo, with options or without, or one of your own. */
  readonly neuron: NeuronSpec;
  /** Bits that the loss is a function of; default: as many as `logits` holds. */
  readonly units?: number;
  /** What is minimised, E[loss(bits)]; its `row` is the number of the estimate within the batch. */
  readonly loss: BlackBox;
  /** Default: Adam with learning rate 0.1. The learning rate is that of the logits, whatever scale the neuron declares for weights. */
  readonly optimizer?: OptimizerName | Optimizer;
  /** Updates of the logits. */
  readonly steps: number;
  /** Independent estimates of the gradient in every step, which are averaged; default 1. */
  readonly batch?: number;
  /** Where the logits start (units); default 0: every bit is 1 with probability ½. */
  readonly logits?: ArrayLike<number>;
  /** Seed of the noise, a whole number in [0, 2⁵³); default 0. The same seed and losses give the same bits. */
  readonly seed?: number;
  /** Evaluations that are under way at once, for losses that return promises; default 1. It changes no number. */
  readonly concurrency?: number;
  /** Stops the run: the iteration throws the signal's reason; `result()` then gives what was found until there. */
  readonly signal?: AbortSignal;
}

const NAMES: NamesOf<OptimizeBitsOptions> = {
  neuron: true,
  units: true,
  loss: true,
  optimizer: true,
  steps: true,
  batch: true,
  logits: true,
  seed: true,
  concurrency: true,
  signal: true,
};

/** The best of all evaluations so far; of equal ones the first. */
export interface BestBits {
  readonly bits: Float64Array;
  readonly loss: number;
}

/** After every update. */
export interface BitsStepEvent {
  readonly event: 'step';
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  /** The mean over the batch of what the draws' losses come to: an estimate of what is minimised, before this update. */
  readonly loss: number;
  readonly best: BestBits;
  /** Evaluations of the loss so far. */
  readonly evaluations: number;
  readonly evaluationsPerSecond: number;
  readonly secondsLeft: number;
}

/** The last event, and what `result()` gives. */
export interface BitsResult extends BestBits {
  readonly event: 'result';
  /** Updates done. */
  readonly steps: number;
  readonly evaluations: number;
  readonly seconds: number;
  /** Where the logits ended (units). */
  readonly logits: Float64Array;
  /** The estimator's, after the last update. */
  readonly state: EstimatorState;
}

/** A run under way: its events, the result last. */
export interface BitsRun extends AsyncGenerator<BitsStepEvent | BitsResult, void> {
  /** Runs what is left and gives the result; after a `break`, a signal or an error, what was found until there. */
  result(): Promise<BitsResult>;
}

/**
 * Looks for bits of small loss by gradient descent on the logits of their probabilities, an event a step:
 * `for await (const event of optimizeBits({ … }))`, or `await optimizeBits({ … }).result()`. The loss is any JavaScript function of bits;
 * no engine is needed. The optimizer works in Float64.
 *
 * Source: Williams 1992; stochastic relaxation of binary problems by gradient estimates as in Yin, Zhou 2019 (ARM), and each neuron's own.
 * @throws RangeError at once for a neuron that reads ∂loss/∂h, and for options that do not fit
 * @throws BlackBoxError from the iteration where the loss throws or gives no finite number, RangeError where an update makes a logit NaN
 *   or infinite, and the signal's reason
 */
export function optimizeBits(options: OptimizeBitsOptions): BitsRun {
  checkNames('optimizeBits', options, NAMES);
  const search = new Search(options);
  const events = search.events();
  const result = async (): Promise<BitsResult> => {
    for await (const _ of events);
    return search.result();
  };
  return Object.assign(events, { result });
}

class Search {
  private readonly estimator: Estimator;
  private readonly optimizer: Optimizer;
  private readonly steps: number;
  private readonly batch: number;
  private readonly begin = performance.now();
  private logits: Float64Array;
  private state: EstimatorState | undefined;
  private best: BestBits | undefined;
  private step = 0;
  private evaluations = 0;

  constructor(options: OptimizeBitsOptions) {
    const { units = options.logits?.length, logits } = options;
    if (units === undefined)
      throw new RangeError('Neither `units` nor `logits` was given. Expected the number of bits, or a logit for each.');
    wholeNumber('units', units);
    if (logits && logits.length !== units)
      throw new RangeError(`${logits.length} logits were given for \`units: ${units}\`. Expected one a unit.`);
    this.logits = checkedLogits(logits ?? new Float64Array(units), 1);
    this.estimator = checkedEstimator(options);
    evaluationsPerRow(this.estimator.neuron, units);
    this.steps = wholeNumber('steps', options.steps);
    this.batch = wholeNumber('batch', options.batch ?? 1);
    this.optimizer = options.optimizer ? resolveOptimizer(options.optimizer) : adam({ learningRate: 0.1 });
  }

  async *events(): AsyncGenerator<BitsStepEvent | BitsResult, void> {
    const { turns } = this.estimator;
    const optimized = await optimizedArray(this.optimizer, this.logits);
    while (this.step < this.steps) {
      yield await this.next(optimized);
      if (turns.due) await turns.take();
    }
    yield this.result();
  }

  result(): BitsResult {
    const { best, state, step: steps, evaluations, logits } = this;
    if (!best || !state) throw new RangeError('The run ended before its first step, so that there is no result.');
    return { event: 'result', ...best, steps, evaluations, seconds: this.seconds, logits: logits.slice(), state };
  }

  private get seconds(): number {
    return (performance.now() - this.begin) / 1000;
  }

  private async next(optimized: OptimizedArray): Promise<BitsStepEvent> {
    const { batch, steps } = this;
    const estimate = await this.estimate();
    this.state = estimate.state;
    this.evaluations += estimate.evaluations;
    this.remember(estimate);
    const units = this.logits.length;
    const gradient = new Float64Array(units);
    for (let i = 0; i < estimate.gradient.length; i++) gradient[i % units] += estimate.gradient[i];
    optimized.update(gradient, 1 / batch);
    const broken = optimized.values.findIndex((logit) => !Number.isFinite(logit));
    if (broken >= 0)
      throw new RangeError(
        `The update of step ${this.step + 1} made the logit of unit ${broken} ${optimized.values[broken]}. Expected a finite number: a lower learning rate gives one.`,
      );
    this.logits = optimized.values.slice();
    this.step++;
    const { seconds } = this;
    return {
      event: 'step',
      step: this.step,
      steps,
      loss: estimate.total.reduce((sum, value) => sum + value, 0) / batch,
      best: this.best as BestBits,
      evaluations: this.evaluations,
      evaluationsPerSecond: this.evaluations / seconds,
      secondsLeft: (seconds / this.step) * (steps - this.step),
    };
  }

  private estimate(): Promise<GradientEstimate> {
    const { logits, batch, state } = this;
    const units = logits.length;
    const repeated = Float64Array.from({ length: batch * units }, (_, i) => logits[i % units]);
    return estimateWith(this.estimator, { logits: repeated, rows: batch, state });
  }

  private remember({ losses, bits }: GradientEstimate): void {
    const units = this.logits.length;
    for (let i = 0; i < losses.length; i++)
      if (!this.best || losses[i] < this.best.loss)
        this.best = { bits: bits.slice(i * units, (i + 1) * units), loss: losses[i] };
  }
}
