import type { Split } from '../data/dataset.ts';
import type { Model, Snapshot } from '../nn/model.ts';
import { type Optimizer, type OptimizerName, resolveOptimizer } from '../optim/index.ts';
import { alone, checkAlone } from './alone.ts';
import { Basket, type BasketOptions } from './basket.ts';
import { countWrong, epochOrder, gatherBatch } from './batches.ts';
import { calibrate } from './calibrate.ts';
import { checkFit, type Evaluation, evaluate } from './evaluate.ts';
import type { EpochEvent, ResultEvent, TrainEvent } from './events.ts';
import type { Objective } from './objective.ts';
import { restoreState } from './restore-state.ts';
import { checkProgress, type TrainingProgress, type TrainingState } from './state.ts';
import { Stepper } from './step.ts';

export interface TrainOptions {
  /** Default 10. */
  readonly epochs?: number;
  /** Examples in a minibatch; default 100. The last minibatch of an epoch may be smaller. */
  readonly batch?: number;
  /** Default `sgd` with learning rate 0.1. */
  readonly optimizer?: OptimizerName | Optimizer;
  /** Learning rate of gaters; default: the main one times the scale that their neuron declares. */
  readonly gaterLearningRate?: number;
  /** Largest Euclidean norm of a unit's incoming weights; default: none. */
  readonly maxNorm?: number;
  /** Factor on the learning rates after every epoch; default 1. */
  readonly decay?: number;
  /** Stop after so many epochs without a better validation error; default: never. */
  readonly patience?: number;
  /** Seed of the order of the examples; default: the model's. */
  readonly seed?: number;
  /** Stops training: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** By which form of a network with stochastic units the best epoch is chosen; default: `threshold`. */
  readonly validation?: 'threshold' | 'mean-field';
  /** What is minimised; default: the cross-entropy of the labels. Validation and test stay cross-entropy and errors. */
  readonly objective?: Objective;
  /** Neurons to measure beside the one that trains, in every epoch's event; they change nothing of the training. */
  readonly basket?: BasketOptions;
  /** Continue from here, bit for bit: a state of the same model, data and options (`epochs` and `patience` may differ). */
  readonly resume?: TrainingState;
}

/** Training under way: its events, and the state that it can be continued from. */
export interface Training extends AsyncGenerator<TrainEvent, void> {
  /**
   * A copy of where training stands, after any event and after the signal stopped it. After the result, when the model holds the
   * weights of its best epoch, that of the last epoch.
   */
  state(): TrainingState;
}

/** The event loop gets a turn at least this often, in milliseconds. */
const TURN = 50;

/**
 * Trains a model, an event at a time: `for await (const event of train(model, data))`. The weights of the epoch with the
 * best validation error (by the mode that `validation` names, where there are stochastic units) stand in the model at the end.
 * @throws RangeError for options, data or a state that do not fit, or a model that is being trained, NonFiniteError when the loss is NaN,
 * or the signal's reason
 */
export function train(model: Model, data: Split, options: TrainOptions = {}): Training {
  options.signal?.throwIfAborted();
  checkAlone(model);
  const run = new TrainingRun(model, data, options);
  return Object.assign(alone(model, run.events()), { state: () => run.state() });
}

type Sums = Pick<TrainingProgress, 'batches' | 'examples' | 'lossSum' | 'wrong' | 'executed'>;
const NOTHING: Sums = { batches: 0, examples: 0, lossSum: 0, wrong: 0, executed: 0 };

class TrainingRun {
  readonly epochs: number;
  private readonly batchSize: number;
  private readonly optimizer: Optimizer;
  private readonly stepper: Stepper;
  private readonly model: Model;
  private readonly data: Split;
  private readonly options: TrainOptions;
  private readonly basket: Basket | undefined;
  private readonly start = performance.now();
  private lastTurn = performance.now();
  private best: { event: EpochEvent; snapshot: Snapshot } | undefined;
  private lastEpoch = 0;
  private trainingWork = 0;
  /** Of the epoch under way. */
  private sums: Sums = NOTHING;
  /** Of earlier sessions. */
  private secondsBefore = 0;
  /** Examples that this session has trained on. */
  private trained = 0;
  /** Once the model holds the weights of the best epoch. */
  private last: TrainingState | undefined;

  constructor(model: Model, data: Split, options: TrainOptions) {
    for (const part of [data.train, data.valid, data.test]) checkFit(model, part);
    this.model = model;
    this.data = data;
    this.options = options;
    this.epochs = wholeNumber('epochs', options.epochs ?? 10);
    this.batchSize = wholeNumber('batch', options.batch ?? 100);
    if (options.patience !== undefined) wholeNumber('patience', options.patience);
    positive('gaterLearningRate', options.gaterLearningRate);
    positive('maxNorm', options.maxNorm);
    positive('decay', options.decay);
    this.optimizer = resolveOptimizer(options.optimizer ?? 'sgd');
    this.stepper = new Stepper(model, this.optimizer, options.objective);
    this.basket = options.basket && new Basket(model, options.basket, options.objective);
    if (options.resume) this.restore(options.resume);
  }

  async *events(): AsyncGenerator<TrainEvent, void> {
    while (this.lastEpoch < this.epochs && !this.exhausted) yield* this.epoch(this.lastEpoch + 1);
    yield this.result();
  }

  /** Have the epochs without improvement used up the patience? */
  get exhausted(): boolean {
    return this.lastEpoch - (this.best?.event.epoch ?? 0) >= (this.options.patience ?? Number.POSITIVE_INFINITY);
  }

  async *epoch(epoch: number): AsyncGenerator<TrainEvent, void> {
    const { model, data, options } = this;
    const order = epochOrder(data.train.count, options.seed ?? model.seed, epoch);
    const learningRate = this.optimizer.learningRate * (options.decay ?? 1) ** (epoch - 1);
    const settings = this.settings(learningRate, epoch);
    const batches = Math.ceil(order.length / this.batchSize);
    const count = order.length;
    if (this.sums.batches === 0) for (const site of model.sites) site.resetHealth();
    while (this.sums.batches < batches) {
      model.engine.beginStep();
      const from = this.sums.examples;
      const indices = order.subarray(from, from + this.batchSize);
      const batch = gatherBatch(model.engine, data.train, indices);
      const { loss, output, multiplyAdds } = this.stepper.run(batch, settings);
      const { sums } = this;
      this.sums = {
        batches: sums.batches + 1,
        examples: from + batch.rows,
        lossSum: sums.lossSum + loss * batch.rows,
        wrong: sums.wrong + countWrong(output, batch),
        executed: sums.executed + multiplyAdds,
      };
      this.basket?.afterStep(this.stepper.step, data.train, indices);
      this.trained += batch.rows;
      const done = (epoch - 1) * count + this.sums.examples;
      const rate = this.trained / ((performance.now() - this.start) / 1000);
      yield {
        event: 'batch',
        epoch,
        epochs: this.epochs,
        batch: this.sums.batches,
        batches,
        loss: this.sums.lossSum / this.sums.examples,
        examplesPerSecond: rate,
        secondsLeft: (this.epochs * count - done) / rate,
      };
      await this.turn();
    }
    this.stepper.checkParameters();
    const valid = this.validate();
    const better = !this.best || valid.error < this.best.event.validError;
    const event: EpochEvent = {
      event: 'epoch',
      epoch,
      epochs: this.epochs,
      trainLoss: this.sums.lossSum / count,
      trainError: this.sums.wrong / count,
      validError: valid.error,
      validLoss: valid.loss,
      density: valid.density,
      health: model.stochasticSites.map(({ health }) => health),
      learningRate,
      seconds: this.seconds,
      best: better,
      ...(this.basket && { basket: this.basket.take() }),
    };
    this.lastEpoch = epoch;
    this.trainingWork = this.sums.executed / count;
    this.sums = NOTHING;
    if (better) this.best = { event, snapshot: model.snapshot() };
    yield event;
  }

  /** Measures the best epoch's weights on the test data. */
  result(): ResultEvent {
    const { model, data, best } = this;
    if (!best) throw new RangeError('Training ended without an epoch; `epochs: 1` or more would do.');
    this.last = this.state();
    model.restore(best.snapshot);
    const sampled = evaluate(model, data.test, { mode: 'sample' });
    const threshold = evaluate(model, data.test, { mode: 'threshold' });
    const meanField = evaluate(model, data.test, { mode: 'mean-field' });
    return {
      event: 'result',
      testError: { sampled: sampled.error, threshold: threshold.error, meanField: meanField.error },
      validError: best.event.validError,
      trainLoss: best.event.trainLoss,
      density: sampled.density,
      flops: sampled.flops,
      training: { executed: this.trainingWork, all: model.cost.dense + model.cost.gater },
      bestEpoch: best.event.epoch,
      epochs: this.lastEpoch,
      seconds: this.seconds,
      engine: model.engine.name,
      threads: model.engine.threads,
      seed: model.seed,
      dataChecksum: data.train.checksum,
    };
  }

  /** See `Training`. */
  state(): TrainingState {
    if (this.last) return this.last;
    const { model, stepper, best, sums } = this;
    const progress: TrainingProgress = {
      step: stepper.step,
      epochs: this.lastEpoch,
      ...sums,
      trainingWork: this.trainingWork,
      seconds: this.seconds,
      ...(best && { best: best.event }),
    };
    const slots = new Map(stepper.arrays().map(([name, values]) => [name, values.slice()]));
    return { progress, model: model.snapshot(), slots, ...(best && { best: best.snapshot }) };
  }

  private restore(state: TrainingState): void {
    const { epochs, batches, examples, lossSum, wrong, executed, ...rest } = checkProgress(state.progress);
    const { model, stepper, batchSize: batch } = this;
    const { count } = this.data.train;
    this.best = restoreState(state, { model, stepper, optimizer: this.optimizer.name, count, batch });
    this.lastEpoch = epochs;
    this.trainingWork = rest.trainingWork;
    this.secondsBefore = rest.seconds;
    this.sums = { batches, examples, lossSum, wrong, executed };
  }

  private settings(learningRate: number, epoch: number) {
    const { gaterLearningRate, maxNorm, decay = 1 } = this.options;
    return {
      optimizer: this.optimizer,
      learningRate,
      gaterLearningRate: gaterLearningRate === undefined ? undefined : gaterLearningRate * decay ** (epoch - 1),
      maxNorm,
    };
  }

  private validate(): Evaluation {
    const { model, data } = this;
    const mode = this.options.validation ?? 'threshold';
    if (model.stochasticSites.length === 0) return evaluate(model, data.valid);
    calibrate(model, data.valid);
    return evaluate(model, data.valid, { mode });
  }

  /** Lets the event loop run now and then, and stops when the signal says so. */
  private async turn(): Promise<void> {
    if (performance.now() - this.lastTurn > TURN) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.lastTurn = performance.now();
    }
    this.options.signal?.throwIfAborted();
  }

  private get seconds(): number {
    return this.secondsBefore + (performance.now() - this.start) / 1000;
  }
}

function wholeNumber(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`\`${name}\` is ${value}; a whole number from 1 up would do.`);
}

function positive(name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0)) throw new RangeError(`\`${name}\` is ${value}; a number over 0 would do.`);
}
