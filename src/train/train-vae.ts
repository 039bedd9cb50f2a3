import type { Dataset, Split } from '../data/dataset.ts';
import type { SiteHealth } from '../nn/firing-site.ts';
import type { Model, Snapshot } from '../nn/model.ts';
import { type Optimizer, type OptimizerName, resolveOptimizer } from '../optim/index.ts';
import { alone, checkAlone } from './alone.ts';
import { Basket, type BasketOptions, type BasketRow } from './basket.ts';
import { epochOrder, gatherBatch } from './batches.ts';
import type { BatchEvent } from './events.ts';
import { restoreState } from './restore-state.ts';
import { checkProgressOf, type Progress, type ProgressFields, type TrainingState } from './state.ts';
import { Stepper } from './step.ts';
import { latentSite, startAtMeans, vae } from './vae.ts';
import { measureVae, type VaeBound, type VaeBoundOptions } from './vae-bound.ts';

export interface TrainVaeOptions {
  /** Default 10. */
  readonly epochs?: number;
  /** Pictures in a minibatch; default 100. The last minibatch of an epoch may be smaller. */
  readonly batch?: number;
  /** Default `adam` with learning rate 0.001. */
  readonly optimizer?: OptimizerName | Optimizer;
  /** Factor on the learning rate after every epoch; default 1. */
  readonly decay?: number;
  /** Draws of the latents for the bound on the test data; default 100. */
  readonly samples?: number;
  /** Seed of the order of the pictures; default: the model's. */
  readonly seed?: number;
  /** Neurons to measure at the latents beside the one that trains, in every epoch's event; they change nothing of the training. */
  readonly basket?: BasketOptions;
  /** Stops training: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Continue from here, bit for bit: a state of the same model, data and options (`epochs` may differ). */
  readonly resume?: VaeState;
}

/** How far the training of an autoencoder has come. */
export type VaeProgress = Progress<VaeEpochEvent>;

/** Everything that the rest of training follows from, beside the model's layers, the options and the data. */
export type VaeState = TrainingState<VaeProgress>;

/** Training under way: its events, and the state that it can be continued from. */
export interface VaeTraining extends AsyncGenerator<VaeEvent, void> {
  /** A copy of where training stands, after any event and after the signal stopped it; see `Training`. */
  state(): VaeState;
}

/** After every epoch; nats a picture. */
export interface VaeEpochEvent {
  readonly event: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  /** What training minimised: mean over the epoch's minibatches, of the neuron's own draws. */
  readonly trainLoss: number;
  /** On the validation pictures, the latents drawn from Bernoulli(σ(a)). */
  readonly validElbo: number;
  /** How every stochastic site fired during the epoch. */
  readonly health: readonly SiteHealth[];
  readonly learningRate: number;
  /** Since training began. */
  readonly seconds: number;
  /** Is this the best validation ELBO so far? */
  readonly best: boolean;
  /** What the neurons of the basket were worth in the epoch, the one that trains first. */
  readonly basket?: readonly BasketRow[];
}

/** While a bound is measured. */
export interface VaeMeasureEvent {
  readonly event: 'measure';
  /** What is measured on which data, e.g. `test bound`. */
  readonly what: string;
  readonly done: number;
  readonly count: number;
}

/** The end of training, measured with the weights of the best epoch; nats a picture. */
export interface VaeResultEvent {
  readonly event: 'result';
  readonly trainElbo: number;
  readonly validElbo: number;
  readonly testElbo: number;
  /** Importance-weighted bound on log p(x) of the test pictures, of so many draws. */
  readonly testBound: number;
  readonly samples: number;
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly seconds: number;
  readonly engine: string;
  readonly threads: number;
  readonly seed: number;
  readonly dataChecksum: string;
}

export type VaeEvent = BatchEvent | VaeEpochEvent | VaeMeasureEvent | VaeResultEvent;

/** The event loop gets a turn at least this often, in milliseconds. */
const TURN = 50;

const OWN: ProgressFields = { counts: [], numbers: [], best: ['trainLoss', 'validElbo'] };

/** Checks the progress of an autoencoder's training that was read from somewhere. @throws RangeError that names the field */
export const checkVaeProgress = (value: unknown): VaeProgress => checkProgressOf(value, OWN) as VaeProgress;

/**
 * Trains a variational autoencoder with Bernoulli latents on dynamically binarised pictures, an event at a time. The weights of
 * the epoch with the best validation ELBO stand in the model at the end.
 * @param model of the layers of `vaeLayers`; its biases start at the data's means
 * @throws RangeError for options, data, a model or a state that do not fit, NonFiniteError when the loss is NaN, or the signal's reason
 */
export function trainVae(model: Model, data: Split, options: TrainVaeOptions = {}): VaeTraining {
  options.signal?.throwIfAborted();
  checkAlone(model);
  const run = new VaeTrainingRun(model, data, options);
  return Object.assign(alone(model, run.events()), { state: () => run.state() });
}

type Sums = Pick<VaeProgress, 'batches' | 'examples' | 'lossSum'>;
const NOTHING: Sums = { batches: 0, examples: 0, lossSum: 0 };

class VaeTrainingRun {
  private readonly model: Model;
  private readonly data: Split;
  private readonly options: TrainVaeOptions;
  private readonly epochs: number;
  private readonly batchSize: number;
  private readonly samples: number;
  private readonly optimizer: Optimizer;
  private readonly stepper: Stepper;
  private readonly basket: Basket | undefined;
  private readonly start = performance.now();
  private lastTurn = performance.now();
  private best: { event: VaeEpochEvent; snapshot: Snapshot } | undefined;
  private lastEpoch = 0;
  /** Of the epoch under way. */
  private sums: Sums = NOTHING;
  /** Of earlier sessions. */
  private secondsBefore = 0;
  /** Pictures that this session has trained on. */
  private trained = 0;
  /** Once the model holds the weights of the best epoch. */
  private last: VaeState | undefined;

  constructor(model: Model, data: Split, options: TrainVaeOptions) {
    const { epochs = 10, batch = 100, decay = 1, samples = 100, resume } = options;
    const site = latentSite(model).name;
    for (const [name, value] of Object.entries({ epochs, batch, samples }))
      if (!Number.isInteger(value) || value < 1)
        throw new RangeError(`\`${name}\` is ${value}; a whole number from 1 up would do.`);
    if (!(decay > 0)) throw new RangeError(`\`decay\` is ${decay}; a number over 0 would do.`);
    for (const part of [data.train, data.valid, data.test]) checkPictures(model, part);
    this.model = model;
    this.data = data;
    this.options = options;
    this.epochs = epochs;
    this.batchSize = batch;
    this.samples = samples;
    this.optimizer = resolveOptimizer(options.optimizer ?? 'adam');
    if (!resume) startAtMeans(model, data.train);
    this.stepper = new Stepper(model, this.optimizer, vae);
    this.basket = options.basket && new Basket(model, { site, ...options.basket }, vae);
    if (resume) this.restore(resume);
  }

  async *events(): AsyncGenerator<VaeEvent, void> {
    while (this.lastEpoch < this.epochs) yield* this.epoch(this.lastEpoch + 1);
    yield* this.result();
  }

  private async *epoch(epoch: number): AsyncGenerator<VaeEvent, void> {
    const { model, data, options, optimizer, stepper, epochs } = this;
    const { count } = data.train;
    const order = epochOrder(count, options.seed ?? model.seed, epoch);
    const learningRate = optimizer.learningRate * (options.decay ?? 1) ** (epoch - 1);
    const batches = Math.ceil(count / this.batchSize);
    if (this.sums.batches === 0) for (const site of model.sites) site.resetHealth();
    while (this.sums.batches < batches) {
      model.engine.beginStep();
      const { batches: before, examples: from, lossSum } = this.sums;
      const indices = order.subarray(from, from + this.batchSize);
      const minibatch = gatherBatch(model.engine, data.train, indices);
      const { loss } = stepper.run(minibatch, { optimizer, learningRate });
      const examples = from + minibatch.rows;
      this.sums = { batches: before + 1, examples, lossSum: lossSum + loss * minibatch.rows };
      this.basket?.afterStep(stepper.step, data.train, indices);
      this.trained += minibatch.rows;
      const examplesPerSecond = this.trained / ((performance.now() - this.start) / 1000);
      yield {
        event: 'batch',
        epoch,
        epochs,
        batch: this.sums.batches,
        batches,
        loss: this.sums.lossSum / examples,
        examplesPerSecond,
        secondsLeft: ((epochs - epoch + 1) * count - examples) / examplesPerSecond,
      };
      await this.turn();
    }
    stepper.checkParameters();
    const { elbo: validElbo } = yield* this.measure('validation ELBO', data.valid);
    const better = !this.best || validElbo > this.best.event.validElbo;
    const health = model.stochasticSites.map((site) => site.health);
    const facts = { epoch, epochs, trainLoss: this.sums.lossSum / count, validElbo, health, learningRate };
    const measured = this.basket && { basket: this.basket.take() };
    const event: VaeEpochEvent = { event: 'epoch', ...facts, seconds: this.seconds, best: better, ...measured };
    this.lastEpoch = epoch;
    this.sums = NOTHING;
    if (better) this.best = { event, snapshot: model.snapshot() };
    yield event;
  }

  /** Measures the best epoch's weights. */
  private async *result(): AsyncGenerator<VaeEvent, void> {
    const { model, data, best, samples } = this;
    if (!best) throw new RangeError('Training ended without an epoch; `epochs: 1` or more would do.');
    this.last = this.state();
    model.restore(best.snapshot);
    const train = yield* this.measure('train ELBO', data.train);
    const test = yield* this.measure('test bound', data.test, { samples });
    yield {
      event: 'result',
      trainElbo: train.elbo,
      validElbo: best.event.validElbo,
      testElbo: test.elbo,
      testBound: test.bound,
      samples,
      bestEpoch: best.event.epoch,
      epochs: this.lastEpoch,
      seconds: this.seconds,
      engine: model.engine.name,
      threads: model.engine.threads,
      seed: model.seed,
      dataChecksum: data.train.checksum,
    };
  }

  private async *measure(what: string, part: Dataset, given: VaeBoundOptions = {}): AsyncGenerator<VaeEvent, VaeBound> {
    const measuring = measureVae(this.model, part, given);
    for (;;) {
      const { done, value } = measuring.next();
      if (done) return value;
      yield { event: 'measure', what, done: value, count: part.count };
      await this.turn();
    }
  }

  /** See `VaeTraining`. */
  state(): VaeState {
    const { model, stepper, best, sums } = this;
    if (this.last) return this.last;
    const slots = new Map(stepper.arrays().map(([name, values]) => [name, values.slice()]));
    const soFar = { step: stepper.step, epochs: this.lastEpoch, ...sums, seconds: this.seconds };
    const progress: VaeProgress = { ...soFar, ...(best && { best: best.event }) };
    return { progress, model: model.snapshot(), slots, ...(best && { best: best.snapshot }) };
  }

  private restore(state: VaeState): void {
    const { epochs, batches, examples, lossSum, seconds } = checkVaeProgress(state.progress);
    const { model, stepper, batchSize: batch } = this;
    const { count } = this.data.train;
    this.best = restoreState(state, { model, stepper, optimizer: this.optimizer.name, count, batch });
    this.lastEpoch = epochs;
    this.secondsBefore = seconds;
    this.sums = { batches, examples, lossSum };
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

/** @throws RangeError when the data's width does not fit the model, or its features are no probabilities */
function checkPictures(model: Model, { name, width, features, scale }: Dataset): void {
  if (width !== model.inputs)
    throw new RangeError(
      `The data set "${name}" has ${width} features, the model takes ${model.inputs}; \`inputs: ${width}\` would do.`,
    );
  const outside = features.findIndex((x) => !(x * scale >= 0 && x * scale <= 1));
  if (outside >= 0)
    throw new RangeError(
      `Feature ${outside % width} of example ${Math.floor(outside / width)} of "${name}" is ${features[outside] * scale}; pixels from 0 to 1 are binarised.`,
    );
}
