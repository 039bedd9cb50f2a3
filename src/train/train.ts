import type { Split } from '../data/dataset.ts';
import type { Model, Snapshot } from '../layers/model.ts';
import { type Optimizer, type OptimizerName, resolveOptimizer } from '../optim/index.ts';
import { countWrong, epochOrder, gatherBatch } from './batches.ts';
import { calibrate } from './calibrate.ts';
import { checkFit, type Evaluation, evaluate } from './evaluate.ts';
import type { EpochEvent, ResultEvent, TrainEvent } from './events.ts';
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
}

/** The event loop gets a turn at least this often, in milliseconds. */
const TURN = 50;

/**
 * Trains a model, an event at a time: `for await (const event of train(model, data))`. The weights of the epoch with the
 * best validation error (threshold mode where there are stochastic units) stand in the model at the end.
 * @throws RangeError for options or data that do not fit, NonFiniteError when the loss is NaN, or the signal's reason
 */
export async function* train(model: Model, data: Split, options: TrainOptions = {}): AsyncGenerator<TrainEvent, void> {
  options.signal?.throwIfAborted();
  const run = new TrainingRun(model, data, options);
  for (let epoch = 1; epoch <= run.epochs && !run.exhausted; epoch++) {
    yield* run.epoch(epoch);
  }
  yield run.result();
}

class TrainingRun {
  readonly epochs: number;
  private readonly batchSize: number;
  private readonly optimizer: Optimizer;
  private readonly stepper: Stepper;
  private readonly model: Model;
  private readonly data: Split;
  private readonly options: TrainOptions;
  private readonly start = performance.now();
  private lastTurn = performance.now();
  private best: { event: EpochEvent; snapshot: Snapshot } | undefined;
  private lastEpoch = 0;
  private trainingWork = 0;

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
    this.stepper = new Stepper(model, this.optimizer);
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
    let lossSum = 0;
    let wrong = 0;
    let seen = 0;
    let executed = 0;
    for (const site of model.sites) site.resetHealth();
    for (let index = 0; index < batches; index++) {
      model.engine.beginStep();
      const batch = gatherBatch(model.engine, data.train, order.subarray(seen, seen + this.batchSize));
      const { loss, logits, multiplyAdds } = this.stepper.run(batch, settings);
      executed += multiplyAdds;
      lossSum += loss * batch.rows;
      wrong += countWrong(model.engine, logits, batch);
      seen += batch.rows;
      const done = (epoch - 1) * order.length + seen;
      const rate = done / ((performance.now() - this.start) / 1000);
      yield {
        event: 'batch',
        epoch,
        epochs: this.epochs,
        batch: index + 1,
        batches,
        loss: lossSum / seen,
        examplesPerSecond: rate,
        secondsLeft: (this.epochs * order.length - done) / rate,
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
      trainLoss: lossSum / seen,
      trainError: wrong / seen,
      validError: valid.error,
      validLoss: valid.loss,
      density: valid.density,
      health: model.stochasticSites.map(({ health }) => health),
      learningRate,
      seconds: this.seconds,
      best: better,
    };
    this.lastEpoch = epoch;
    this.trainingWork = executed / seen;
    if (better) this.best = { event, snapshot: model.snapshot() };
    yield event;
  }

  /** Measures the best epoch's weights on the test data. */
  result(): ResultEvent {
    const { model, data, best } = this;
    if (!best) throw new RangeError('Training ended without an epoch; `epochs: 1` or more would do.');
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
    if (model.stochasticSites.length === 0) return evaluate(model, data.valid);
    calibrate(model, data.valid);
    return evaluate(model, data.valid, { mode: 'threshold' });
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
    return (performance.now() - this.start) / 1000;
  }
}

function wholeNumber(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`\`${name}\` is ${value}; a whole number from 1 up would do.`);
}

function positive(name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0)) throw new RangeError(`\`${name}\` is ${value}; a number over 0 would do.`);
}
