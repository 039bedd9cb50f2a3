import type { Dataset, Split } from '../data/dataset.ts';
import type { SiteHealth } from '../layers/firing-site.ts';
import type { Model, Snapshot } from '../layers/model.ts';
import { type Optimizer, type OptimizerName, resolveOptimizer } from '../optim/index.ts';
import { Basket, type BasketOptions, type BasketRow } from './basket.ts';
import { epochOrder, gatherBatch } from './batches.ts';
import type { BatchEvent } from './events.ts';
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

/**
 * Trains a variational autoencoder with Bernoulli latents on dynamically binarised pictures, an event at a time. The weights of
 * the epoch with the best validation ELBO stand in the model at the end.
 * @param model of the layers of `vaeLayers`; its biases start at the data's means
 * @throws RangeError for options, data or a model that do not fit, NonFiniteError when the loss is NaN, or the signal's reason
 */
export async function* trainVae(
  model: Model,
  data: Split,
  options: TrainVaeOptions = {},
): AsyncGenerator<VaeEvent, void> {
  const { epochs = 10, batch: size = 100, decay = 1, samples = 100, signal } = options;
  const site = latentSite(model).name;
  for (const [name, value] of Object.entries({ epochs, batch: size, samples }))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`\`${name}\` is ${value}; a whole number from 1 up would do.`);
  if (!(decay > 0)) throw new RangeError(`\`decay\` is ${decay}; a number over 0 would do.`);
  for (const part of [data.train, data.valid, data.test]) checkPictures(model, part);
  const optimizer = resolveOptimizer(options.optimizer ?? 'adam');
  startAtMeans(model, data.train);
  const stepper = new Stepper(model, optimizer, vae);
  const basket = options.basket && new Basket(model, { site, ...options.basket }, vae);
  const { count } = data.train;
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  let lastTurn = start;
  const turn = async (): Promise<void> => {
    if (performance.now() - lastTurn > TURN) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      lastTurn = performance.now();
    }
    signal?.throwIfAborted();
  };
  async function* measure(
    what: string,
    part: Dataset,
    given: VaeBoundOptions = {},
  ): AsyncGenerator<VaeEvent, VaeBound> {
    const measuring = measureVae(model, part, given);
    for (;;) {
      const { done, value } = measuring.next();
      if (done) return value;
      yield { event: 'measure', what, done: value, count: part.count };
      await turn();
    }
  }
  let best: { event: VaeEpochEvent; snapshot: Snapshot } | undefined;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = epochOrder(count, options.seed ?? model.seed, epoch);
    const learningRate = optimizer.learningRate * decay ** (epoch - 1);
    for (const site of model.sites) site.resetHealth();
    let lossSum = 0;
    for (let from = 0, batch = 1; from < count; from += size, batch++) {
      model.engine.beginStep();
      const indices = order.subarray(from, from + size);
      const minibatch = gatherBatch(model.engine, data.train, indices);
      lossSum += stepper.run(minibatch, { optimizer, learningRate }).loss * minibatch.rows;
      basket?.afterStep(stepper.step, data.train, indices);
      const seen = from + minibatch.rows;
      const done = (epoch - 1) * count + seen;
      const examplesPerSecond = done / seconds();
      yield {
        event: 'batch',
        epoch,
        epochs,
        batch,
        batches: Math.ceil(count / size),
        loss: lossSum / seen,
        examplesPerSecond,
        secondsLeft: (epochs * count - done) / examplesPerSecond,
      };
      await turn();
    }
    stepper.checkParameters();
    const { elbo: validElbo } = yield* measure('validation ELBO', data.valid);
    const better = !best || validElbo > best.event.validElbo;
    const health = model.stochasticSites.map((site) => site.health);
    const facts = { epoch, epochs, trainLoss: lossSum / count, validElbo, health, learningRate };
    const measured = basket && { basket: basket.take() };
    const event: VaeEpochEvent = { event: 'epoch', ...facts, seconds: seconds(), best: better, ...measured };
    if (better) best = { event, snapshot: model.snapshot() };
    yield event;
  }
  if (!best) return;
  model.restore(best.snapshot);
  const train = yield* measure('train ELBO', data.train);
  const test = yield* measure('test bound', data.test, { samples });
  yield {
    event: 'result',
    trainElbo: train.elbo,
    validElbo: best.event.validElbo,
    testElbo: test.elbo,
    testBound: test.bound,
    samples,
    bestEpoch: best.event.epoch,
    epochs,
    seconds: seconds(),
    engine: model.engine.name,
    threads: model.engine.threads,
    seed: model.seed,
    dataChecksum: data.train.checksum,
  };
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
