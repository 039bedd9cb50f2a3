import type { Snapshot } from '../layers/model.ts';
import type { EpochEvent } from './events.ts';

/** How far training has come: plain JSON, every number finite. */
export interface TrainingProgress {
  /** Steps of the optimizer. */
  readonly step: number;
  /** Epochs that are complete, validation included. */
  readonly epochs: number;
  /** Minibatches of the next epoch that are done, and sums over them. */
  readonly batches: number;
  readonly examples: number;
  readonly lossSum: number;
  readonly wrong: number;
  readonly executed: number;
  /** Multiply-adds for one example, mean of the last complete epoch. */
  readonly trainingWork: number;
  /** Spent training, in all sessions. */
  readonly seconds: number;
  /** The epoch with the best validation error, once there is one. */
  readonly best?: EpochEvent;
}

/** Everything that the rest of training follows from, beside the model's layers, the options and the data. */
export interface TrainingState {
  readonly progress: TrainingProgress;
  /** What training changes in the model. */
  readonly model: Snapshot;
  /** The optimizer's arrays, by the parameter's name and a number. */
  readonly slots: ReadonlyMap<string, Float32Array | Float64Array>;
  /** The model after its best epoch. */
  readonly best?: Snapshot;
}

const COUNTS = ['step', 'epochs', 'batches', 'examples', 'wrong'] as const;
const NUMBERS = ['lossSum', 'executed', 'trainingWork', 'seconds'] as const;
const OF_BEST = ['trainLoss', 'trainError', 'validError', 'validLoss', 'density'] as const;

/**
 * Checks progress that was read from somewhere.
 * @throws RangeError that names the field
 */
export function checkProgress(value: unknown): TrainingProgress {
  const progress = value as TrainingProgress | null;
  if (typeof progress !== 'object' || progress === null) throw new RangeError('The progress of training is no object.');
  for (const name of COUNTS) checkCount(name, progress[name]);
  for (const name of NUMBERS) checkNumber(name, progress[name]);
  const { best } = progress;
  if ((best === undefined) !== (progress.epochs === 0))
    throw new RangeError(`The progress of training has ${progress.epochs} epochs and ${best ? 'a' : 'no'} best one.`);
  if (best === undefined) return progress;
  if (typeof best !== 'object' || best === null) throw new RangeError('The best epoch is no object.');
  checkCount('best.epoch', best.epoch);
  for (const name of OF_BEST) checkNumber(`best.${name}`, best[name]);
  return progress;
}

function checkCount(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new RangeError(`The progress of training has \`${name}\` ${JSON.stringify(value)}; a whole number would do.`);
}

function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RangeError(`The progress of training has \`${name}\` ${JSON.stringify(value)}; a number would do.`);
}
