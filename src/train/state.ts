import type { Snapshot } from '../nn/model.ts';
import type { EpochEvent } from './events.ts';

/** How far any training has come: plain JSON, every number finite. */
export interface Progress<Epoch = unknown> {
  /** Steps of the optimizer. */
  readonly step: number;
  /** Epochs that are complete, validation included. */
  readonly epochs: number;
  /** Minibatches of the next epoch that are done, and sums over them. */
  readonly batches: number;
  readonly examples: number;
  readonly lossSum: number;
  /** Spent training, in all sessions. */
  readonly seconds: number;
  /** The epoch that did best on the validation data, once there is one. */
  readonly best?: Epoch;
}

/** How far the training of a classifier has come. */
export interface TrainingProgress extends Progress<EpochEvent> {
  /** Over the minibatches of the next epoch that are done: wrong answers, multiply-adds for one example. */
  readonly wrong: number;
  readonly executed: number;
  /** Multiply-adds for one example, mean of the last complete epoch. */
  readonly trainingWork: number;
}

/** Everything that the rest of training follows from, beside the model's layers, the options and the data. */
export interface TrainingState<P extends Progress = TrainingProgress> {
  readonly progress: P;
  /** What training changes in the model. */
  readonly model: Snapshot;
  /** The optimizer's arrays, by the parameter's name and a number. */
  readonly slots: ReadonlyMap<string, Float32Array | Float64Array>;
  /** The model after its best epoch. */
  readonly best?: Snapshot;
}

const COUNTS = ['step', 'epochs', 'batches', 'examples'] as const;
const NUMBERS = ['lossSum', 'seconds'] as const;

/** What the progress of one kind of training has beside that of any. */
export interface ProgressFields {
  readonly counts: readonly string[];
  readonly numbers: readonly string[];
  /** Numbers of the best epoch. */
  readonly best: readonly string[];
}

const OF_CLASSIFIERS: ProgressFields = {
  counts: ['wrong'],
  numbers: ['executed', 'trainingWork'],
  best: ['trainLoss', 'trainError', 'validError', 'validLoss', 'density'],
};

/**
 * Checks the progress of a classifier's training that was read from somewhere.
 * @throws RangeError that names the field
 */
export const checkProgress = (value: unknown): TrainingProgress =>
  checkProgressOf(value, OF_CLASSIFIERS) as TrainingProgress;

/** Checks progress that was read from somewhere. @throws RangeError that names the field */
export function checkProgressOf(value: unknown, own: ProgressFields): Progress {
  if (typeof value !== 'object' || value === null) throw new RangeError('The progress of training is no object.');
  const progress = value as Readonly<Record<string, unknown>>;
  for (const name of [...COUNTS, ...own.counts]) checkCount(name, progress[name]);
  for (const name of [...NUMBERS, ...own.numbers]) checkNumber(name, progress[name]);
  const best = progress.best as Readonly<Record<string, unknown>> | null | undefined;
  if ((best === undefined) !== (progress.epochs === 0))
    throw new RangeError(`The progress of training has ${progress.epochs} epochs and ${best ? 'a' : 'no'} best one.`);
  if (best === undefined) return value as Progress;
  if (typeof best !== 'object' || best === null) throw new RangeError('The best epoch is no object.');
  checkCount('best.epoch', best.epoch);
  for (const name of own.best) checkNumber(`best.${name}`, best[name]);
  return value as Progress;
}

function checkCount(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new RangeError(`The progress of training has \`${name}\` ${JSON.stringify(value)}; a whole number would do.`);
}

function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RangeError(`The progress of training has \`${name}\` ${JSON.stringify(value)}; a number would do.`);
}
