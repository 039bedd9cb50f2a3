import type { Model, Snapshot } from '../nn/model.ts';
import { type Optimizer, resolveOptimizer } from '../optim/index.ts';
import { isObject } from '../schema/is-object.ts';
import { epochOrder } from '../tasks/examples.ts';
import {
  added,
  checkFigures,
  checkTask,
  countedOf,
  type Figures,
  type Part,
  type Parts,
  prefixed,
  type Task,
  type TaskBatch,
} from '../tasks/task.ts';
import { told } from '../tensor/told.ts';
import { bestOf, evaluateValid, measuredInModes, scoreOf } from './best-epoch.ts';
import { EstimatorProbe } from './estimator-probe.ts';
import type { BatchEvent, EpochFacts, MeasureEvent, ResultFacts } from './events.ts';
import { restoreState } from './restore-state.ts';
import { checkProgress, type Progress, type TrainingState } from './state.ts';
import { type StepOutcome, Stepper } from './step.ts';
import type { LoopOptions } from './train-options.ts';
import { Turns } from './turns.ts';

type TrainEvent = BatchEvent | MeasureEvent | EpochFacts | ResultFacts;
type Sums = Pick<Progress, 'batches' | 'examples' | 'lossSum' | 'executed'> & { readonly counted: Figures };
const NOTHING: Sums = { batches: 0, examples: 0, lossSum: 0, executed: 0, counted: {} };

/**
 * One training under way: its epochs, its best epoch, and the state that it goes on from. `events` is consumed once.
 * `state` may be asked for between two events, also of a run whose consumer has stopped.
 */
export class TrainingRun {
  private readonly epochs: number;
  private readonly batchSize: number;
  private readonly optimizer: Optimizer;
  private readonly stepper: Stepper;
  private readonly model: Model;
  private readonly data: Parts;
  private readonly task: Task;
  private readonly options: LoopOptions;
  private readonly estimatorProbe: EstimatorProbe | undefined;
  private readonly turns: Turns;
  /** Examples of an epoch. */
  private readonly count: number;
  private order: { readonly pass: number; readonly indices: Int32Array } | undefined;
  private readonly start = performance.now();
  private best: { event: EpochFacts; snapshot: Snapshot } | undefined;
  private lastEpoch = 0;
  private trainingWork = 0;
  /** Of the epoch under way. */
  private sums: Sums = NOTHING;
  /** Of earlier sessions. */
  private secondsBefore = 0;
  /** Examples that this session has trained on. */
  private trained = 0;
  /** Once the model holds the weights of the best epoch. */
  private last: TrainingState<Progress> | undefined;

  /** @throws RangeError where the task, the data, an option or the state to go on from does not fit the model */
  constructor(model: Model, data: Parts, task: Task, options: LoopOptions & { resume?: TrainingState<Progress> }) {
    if (!isObject(data)) throw new RangeError(`The data are ${told(data)}. Expected { train, valid, test }.`);
    for (const part of [data.train, data.valid, data.test]) checkTask(task, model, part);
    const { defaults } = task;
    this.model = model;
    this.data = data;
    this.task = task;
    this.options = options;
    this.turns = new Turns(options.signal);
    this.epochs = options.epochs ?? 10;
    this.batchSize = options.batch ?? defaults.batch;
    this.count = Math.min(data.train.count, options.examplesPerEpoch ?? data.train.count);
    this.optimizer = resolveOptimizer(options.optimizer ?? defaults.optimizer);
    if (!options.resume) task.begin?.(model, data.train);
    const noise = options.weightNoise && { spec: options.weightNoise, examples: data.train.count };
    this.stepper = new Stepper(model, this.optimizer, task, noise);
    this.estimatorProbe = options.estimatorProbe && new EstimatorProbe(model, options.estimatorProbe, task);
    if (options.resume) this.restore(options.resume);
  }

  async *events(): AsyncGenerator<TrainEvent, void> {
    while (this.lastEpoch < this.epochs && !this.exhausted) yield* this.epoch(this.lastEpoch + 1);
    yield* this.result();
  }

  /** Have the epochs without improvement used up the patience? Only validation can tell. */
  private get exhausted(): boolean {
    if (!this.best || this.lastEpoch % (this.options.validateEvery ?? 1) !== 0) return false;
    return this.lastEpoch - this.best.event.epoch >= (this.options.patience ?? Number.POSITIVE_INFINITY);
  }

  private async *epoch(epoch: number): AsyncGenerator<TrainEvent, void> {
    const { model, data, options, count } = this;
    const order = this.orderOf(epoch);
    const learningRate = this.optimizer.learningRate * (options.decay ?? 1) ** (epoch - 1);
    const batches = Math.ceil(count / this.batchSize);
    if (this.sums.batches === 0) for (const site of model.sites) site.resetHealth();
    while (this.sums.batches < batches) {
      const from = this.sums.examples;
      const indices = order.subarray(from, from + this.batchSize);
      this.add(this.step(indices, learningRate, epoch), indices.length);
      this.estimatorProbe?.afterStep(this.stepper.step, data.train, indices);
      yield this.progress(epoch, batches);
      await this.turns.take();
    }
    this.stepper.checkParameters();
    if (epoch % (options.validateEvery ?? 1) === 0 || epoch === this.epochs) yield* this.validated(epoch, learningRate);
    else this.close(epoch);
  }

  /** The examples of an epoch, in their order. */
  private orderOf(epoch: number): Int32Array {
    const { data, options, model, count } = this;
    const epochs = Math.floor(data.train.count / count);
    const [pass, at] = [Math.floor((epoch - 1) / epochs), (epoch - 1) % epochs];
    if (this.order?.pass !== pass)
      this.order = { pass, indices: epochOrder(data.train.count, options.seed ?? model.seed, pass + 1) };
    return this.order.indices.subarray(at * count, (at + 1) * count);
  }

  /** The epoch is complete. */
  private close(epoch: number): void {
    this.lastEpoch = epoch;
    this.trainingWork = this.sums.executed / this.count;
    this.sums = NOTHING;
  }

  private step(indices: Int32Array, learningRate: number, epoch: number): StepOutcome & { batch: TaskBatch } {
    const { model, data, task, stepper } = this;
    const { engine } = model;
    const settings = this.settings(learningRate, epoch);
    if (stepper.noise) {
      const one = (example: number) => task.gather(engine, data.train, indices.subarray(example, example + 1));
      return { ...stepper.runNoisy(stepper.noise, indices.length, one, settings), batch: { rows: indices.length } };
    }
    engine.beginStep();
    const batch = task.gather(engine, data.train, indices);
    return { ...stepper.run(batch, settings), batch };
  }

  private add({ loss, outcome, multiplyAdds, batch }: StepOutcome & { batch: TaskBatch }, rows: number): void {
    const { sums, task } = this;
    const { counted = [] } = task;
    // Of weights with noise, the minibatch is never there as a whole.
    const measured =
      counted.length > 0 && !this.stepper.noise
        ? countedOf(task, task.measure(outcome, batch))
        : Object.fromEntries(counted.map((name) => [name, 0]));
    this.sums = {
      batches: sums.batches + 1,
      examples: sums.examples + rows,
      lossSum: sums.lossSum + loss * rows,
      executed: sums.executed + multiplyAdds,
      counted: added(sums.counted, measured),
    };
    this.trained += rows;
  }

  private progress(epoch: number, batches: number): BatchEvent {
    const { sums, epochs, count } = this;
    const done = (epoch - 1) * count + sums.examples;
    const examplesPerSecond = this.trained / ((performance.now() - this.start) / 1000);
    const secondsLeft = (epochs * count - done) / examplesPerSecond;
    const loss = sums.lossSum / sums.examples;
    return { event: 'batch', epoch, epochs, batch: sums.batches, batches, loss, examplesPerSecond, secondsLeft };
  }

  /** The epoch's event, measured on the validation data. */
  private async *validated(epoch: number, learningRate: number): AsyncGenerator<TrainEvent, void> {
    const { model, task, sums, count } = this;
    const trained =
      task.counted && !this.stepper.noise
        ? prefixed('train', checkFigures(task, 'metrics', task.metrics(sums.counted, count)))
        : {};
    const measured = yield* this.measureValid();
    const score = scoreOf(task, measured);
    const better = !this.best || score < scoreOf(task, this.best.event);
    const { noise } = this.stepper;
    const complexity = noise?.complexity();
    const event: EpochFacts = {
      event: 'epoch',
      epoch,
      epochs: this.epochs,
      trainLoss: sums.lossSum / count,
      ...trained,
      ...measured,
      health: model.stochasticSites.map(({ health }) => health),
      learningRate,
      seconds: this.seconds,
      best: better,
      ...(noise && { deviation: noise.deviation() }),
      ...(complexity !== undefined && { complexity }),
      ...(this.estimatorProbe && { estimatorProbe: this.estimatorProbe.take() }),
    };
    this.close(epoch);
    if (better) this.best = { event, snapshot: model.snapshot() };
    yield event;
  }

  private async *measureValid(): AsyncGenerator<TrainEvent, Record<string, number>> {
    const { model, data, task, options } = this;
    if (task.assess) return prefixed('valid', yield* this.assess('valid'));
    const { metrics, loss, density } = evaluateValid(model, data.valid, task, options.validation);
    return { ...prefixed('valid', { ...metrics, loss }), density };
  }

  /** By the task's own passes. */
  private async *assess(part: Part): AsyncGenerator<TrainEvent, Figures> {
    const { model, data, task } = this;
    const assessing = task.assess?.(model, data[part], part);
    for (;;) {
      const { done, value } = (assessing as NonNullable<typeof assessing>).next();
      if (done) return value;
      yield { event: 'measure', what: part, done: value, count: data[part].count };
      await this.turns.take();
    }
  }

  /** Measures the best epoch's weights. */
  private async *result(): AsyncGenerator<TrainEvent, void> {
    const { model, data, task, best } = this;
    if (!best) throw new RangeError('Training ended without an epoch. Expected `epochs: 1` or more.');
    this.last = this.state();
    model.restore(best.snapshot);
    const measured = task.assess
      ? yield* this.assessed(best.event)
      : measuredInModes(model, data, task, best.event, this.trainingWork);
    yield {
      event: 'result',
      ...measured,
      ...task.facts,
      bestEpoch: best.event.epoch,
      epochs: this.lastEpoch,
      seconds: this.seconds,
      engine: model.engine.name,
      threads: model.engine.threads,
      seed: model.seed,
      dataChecksum: data.train.checksum,
    };
  }

  private async *assessed(best: EpochFacts): AsyncGenerator<TrainEvent, object> {
    const train = prefixed('train', yield* this.assess('train'));
    return { ...train, ...bestOf(this.task, best), ...prefixed('test', yield* this.assess('test')) };
  }

  /** See `Training`. */
  state(): TrainingState<Progress> {
    if (this.last) return this.last;
    const { model, stepper, best, sums } = this;
    const { counted, ...own } = sums;
    const none = Object.fromEntries((this.task.counted ?? []).map((name) => [name, 0]));
    const progress: Progress = {
      step: stepper.step,
      epochs: this.lastEpoch,
      ...own,
      ...none,
      ...counted,
      trainingWork: this.trainingWork,
      ...(stepper.noise && { draws: stepper.draws }),
      seconds: this.seconds,
      ...(best && { best: best.event }),
    };
    const slots = new Map(stepper.arrays().map(([name, values]) => [name, values.slice()]));
    return { progress, model: model.snapshot(), slots, ...(best && { best: best.snapshot }) };
  }

  private restore(state: TrainingState<Progress>): void {
    const progress = checkProgress<Progress>(state.progress, this.task);
    const { epochs, batches, examples, lossSum, executed, trainingWork, seconds } = progress;
    const { model, stepper, batchSize: batch, options } = this;
    const { count } = this;
    if (!progress.best && epochs >= (options.validateEvery ?? 1))
      throw new RangeError(`The progress of training has ${epochs} epochs and no best one.`);
    this.best = restoreState(state, { model, stepper, optimizer: this.optimizer.name, count, batch });
    this.lastEpoch = epochs;
    this.trainingWork = trainingWork;
    this.secondsBefore = seconds;
    const figures = progress as unknown as Figures;
    const counted = Object.fromEntries((this.task.counted ?? []).map((name) => [name, figures[name]]));
    this.sums = { batches, examples, lossSum, executed, counted };
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

  private get seconds(): number {
    return this.secondsBefore + (performance.now() - this.start) / 1000;
  }
}
