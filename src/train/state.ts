import type { Snapshot } from '../nn/model.ts';
import type { ClassificationEpoch } from '../tasks/classification.ts';
import { prefixed, type Task } from '../tasks/task.ts';
import type { VaeEpoch } from '../tasks/vae.ts';
import { told } from '../tensor/told.ts';
import type { EpochFacts } from './events.ts';

/** How far a training has come: plain JSON, every number finite. What the task sums while training stands beside, by name. */
export interface Progress<Epoch extends object = object> {
  /** Steps of the optimizer. */
  readonly step: number;
  /** Epochs that are complete, validation included. */
  readonly epochs: number;
  /** Minibatches of the next epoch that are done, and sums over them: of losses, of multiply-adds. */
  readonly batches: number;
  readonly examples: number;
  readonly lossSum: number;
  readonly executed: number;
  /** Multiply-adds for one example, mean of the last complete epoch. */
  readonly trainingWork: number;
  /** Draws of the weights, where they have noise. */
  readonly draws?: number;
  /** Spent training, in all sessions. */
  readonly seconds: number;
  /** The epoch that did best on the validation data, once there is one. */
  readonly best?: EpochFacts & Epoch;
}

/** How far the training of a classifier has come. */
export type TrainingProgress = Progress<ClassificationEpoch> & { readonly wrong: number };
/** How far the training of an autoencoder has come. */
export type VaeProgress = Progress<VaeEpoch>;

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

const COUNTS = ['step', 'epochs', 'batches', 'examples'];
const NUMBERS = ['lossSum', 'executed', 'trainingWork', 'seconds'];

/**
 * Checks the progress of a training that was read from somewhere.
 * @throws RangeError that names the field
 */
export function checkProgress<P extends Progress>(
  value: unknown,
  { counted = [], best: { metric } }: Pick<Task, 'counted' | 'best'>,
): P {
  if (typeof value !== 'object' || value === null) throw new RangeError('The progress of training is no object.');
  const progress = value as Readonly<Record<string, unknown>>;
  for (const name of COUNTS) checkCount(name, progress[name]);
  // What a task sums need not be whole.
  for (const name of [...NUMBERS, ...counted]) checkNumber(name, progress[name]);
  if (progress.draws !== undefined) checkCount('draws', progress.draws);
  const best = progress.best as Readonly<Record<string, unknown>> | null | undefined;
  if (best === undefined) return value as P;
  if (progress.epochs === 0) throw new RangeError('The progress of training has 0 epochs and a best one.');
  if (typeof best !== 'object' || best === null) throw new RangeError('The best epoch is no object.');
  checkCount('best.epoch', best.epoch);
  const valid = Object.keys(best).filter((name) => /^(train|valid)[A-Z]/.test(name));
  for (const name of new Set([...valid, 'trainLoss', ...Object.keys(prefixed('valid', { [metric]: 0 }))]))
    checkNumber(`best.${name}`, best[name]);
  return value as P;
}

function checkCount(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new RangeError(`The progress of training has \`${name}\` ${told(value)}. Expected a whole number.`);
}

function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RangeError(`The progress of training has \`${name}\` ${told(value)}. Expected a number.`);
}
