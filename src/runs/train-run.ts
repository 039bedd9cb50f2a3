import type { Engine } from '../backend/engine.ts';
import type { OwnCode } from '../io/build-model.ts';
import { FormatError } from '../io/format-error.ts';
import { saveModel } from '../io/model-file.ts';
import { sizeOfModel } from '../io/model-size.ts';
import type { Model } from '../nn/model.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { resolveTask } from '../tasks/index.ts';
import { type Parts, shapeOf, type Task } from '../tasks/task.ts';
import type { TaskEvent } from '../train/events.ts';
import type { Progress, TrainingState } from '../train/state.ts';
import { train } from '../train/train.ts';
import { type FolderLock, StorageError } from './folder.ts';
import { Journal, missingEpochs } from './journal.ts';
import { type RunRecord, trainOptions } from './record.ts';
import { RUN_FILE, type Run, type SavedState, WEIGHTS_FILE } from './run.ts';
import { untrainedModel } from './run-model.ts';
import { checkSettings } from './settings.ts';

/** Options of `trainRun`. */
export interface TrainRunOptions {
  readonly engine: Engine;
  /** The data that the record names. */
  readonly data: Parts;
  /** A new model of the record's layers on the engine, where there is one already. */
  readonly model?: Model;
  /** Code of the user's own that the run needs: neurons and layers of its model, its task. */
  readonly own?: OwnCode & { readonly tasks?: readonly Task[] };
  /** Stops training after a checkpoint: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Seconds between checkpoints; default 30. */
  readonly checkpointSeconds?: number;
  /** Where the data lie now, for the record. */
  readonly source?: string;
  /** Train to another number of epochs than the record asks for; run.json says so as soon as everything is found as it should be. */
  readonly epochs?: number;
  /** Go on though engine or arithmetic differ from those of the sessions before; default false. */
  readonly anyEngine?: boolean;
  /** Who trains, for the session's line: process, machine. */
  readonly by?: Readonly<Record<string, string | number>>;
}

const NAMES: NamesOf<TrainRunOptions> = {
  engine: true,
  data: true,
  source: true,
  model: true,
  own: true,
  signal: true,
  checkpointSeconds: true,
  epochs: true,
  anyEngine: true,
  by: true,
};

/** A checkpoint was taken up. */
export interface ResumedEvent {
  readonly event: 'resumed';
  readonly checkpoint: string;
  readonly epochs: number;
  readonly batches: number;
  /** Why newer checkpoints could not be used. */
  readonly damaged: readonly string[];
  /** Epochs that are trained and whose lines metrics.jsonl lacks: the first and the last of each gap. */
  readonly missing: readonly (readonly [number, number])[];
}

/** A checkpoint was written. */
export interface SavedEvent {
  readonly event: 'saved';
  readonly checkpoint: string;
}

/** Events of `trainRun`, told apart by `event`. */
export type RunEvent = TaskEvent | ResumedEvent | SavedEvent;

/**
 * Trains a run from where it stands to its end, an event at a time, with checkpoints by the clock. However often it is interrupted,
 * the weights at the end are the same, bit for bit, on the same engine; metrics.jsonl has every epoch once. A run that is done
 * already gives its result again. Nothing is written before everything has been found as it should be: who is refused leaves every file
 * as it was.
 * @throws StorageError when the run is in use, its engine, data or settings are others than before, or the disk is full; FormatError
 * when its files are damaged; what `train` throws
 */
export async function* trainRun(run: Run, options: TrainRunOptions): AsyncGenerator<RunEvent, void> {
  checkNames('trainRun', options, NAMES);
  const lock = await run.folder.lock();
  try {
    yield* trainLocked(run, options, lock);
  } finally {
    await lock.release();
  }
}

async function* trainLocked(
  run: Run,
  options: TrainRunOptions,
  { lost, tidy }: FolderLock,
): AsyncGenerator<RunEvent, void> {
  const { engine, data, checkpointSeconds = 30, anyEngine = false } = options;
  await run.refresh();
  const record = withSource(withEpochs(run.record, options.epochs), options.source);
  checkSame(run, engine, data, anyEngine);
  const { lines, size } = await run.readMetrics();
  await run.checkPlaces(size);
  const saved = await run.latest();
  if (saved) checkGoesOn(record, saved, run.folder.path);
  const missing = missingEpochs(lines, saved?.state.progress.epochs ?? 0, record.training.validateEvery);
  const task = taskOf(run, options.own?.tasks);
  if (!options.model) checkRoom(record, engine, shapeOf(task, data.train).width, run.folder.path);
  const model = options.model ?? untrainedModel(run, engine, saved, options.own);
  const signal = options.signal ? AbortSignal.any([options.signal, lost]) : lost;
  const training = begin(record, task, { model, data, signal, resume: saved?.state });
  // The first that is written.
  await tidy();
  await run.ensure(record);
  const journal = new Journal(run, await run.repair(), anyEngine);
  await journal.session(training.state(), engine, options.by ?? {});
  if (saved) {
    const { epochs, batches } = saved.state.progress;
    yield { event: 'resumed', checkpoint: saved.name, epochs, batches, damaged: saved.damaged, missing };
  }
  let last = performance.now();
  const save = async (): Promise<SavedEvent> => {
    const checkpoint = await run.save(training.state());
    last = performance.now();
    return { event: 'saved', checkpoint };
  };
  try {
    for await (const event of training) {
      if (event.event === 'epoch') await journal.add(event);
      if (event.event === 'result') {
        await save();
        await run.folder.write(WEIGHTS_FILE, saveModel(model));
        await journal.add(event);
        await run.rewrite({ ...run.record, result: event });
      }
      yield event;
      if (event.event !== 'result' && performance.now() - last >= 1000 * checkpointSeconds) yield await save();
    }
  } catch (error) {
    if (options.signal?.aborted && !lost.aborted && error === options.signal.reason) yield await save();
    throw error;
  }
}

type State = TrainingState<Progress>;

/** Training under way, of any task. */
interface TrainingOf extends AsyncIterable<TaskEvent> {
  state(): State;
}

/** The task of a run. @throws FormatError when it is of one's own, and not among those that are given */
function taskOf({ record, folder }: Run, own: readonly Task[] | undefined): Task {
  try {
    return resolveTask(record.task, own);
  } catch (error) {
    throw new FormatError(`\`task\` of ${folder.path}/${RUN_FILE}: ${(error as Error).message}`, { cause: error });
  }
}

/** Begins training what a record asks for, or goes on from a state. */
function begin(
  record: RunRecord,
  task: Task,
  from: {
    readonly model: Model;
    readonly data: Parts;
    readonly signal: AbortSignal;
    readonly resume: State | undefined;
  },
): TrainingOf {
  const { model, data, signal, resume } = from;
  const options = { ...trainOptions(record), task, signal };
  return train(model, data, { ...options, ...(resume && { resume }) }) as unknown as TrainingOf;
}

/** A record that asks for another number of epochs: its result, if there is one, is no longer that. */
function withEpochs(record: RunRecord, epochs: number | undefined): RunRecord {
  if (epochs === undefined || epochs === record.training.epochs) return record;
  const { result: _, ...rest } = record;
  return { ...rest, config: { ...rest.config, epochs }, training: { ...rest.training, epochs } };
}

/** A record whose data lie elsewhere now. */
function withSource(record: RunRecord, source: string | undefined): RunRecord {
  if (source === undefined || source === record.data.source) return record;
  return { ...record, data: { ...record.data, source } };
}

/** @throws StorageError when a checkpoint was trained with other settings than the record has, or for more epochs */
function checkGoesOn(record: RunRecord, saved: SavedState, path: string): void {
  checkSettings(record, saved, `${path}/${RUN_FILE}`);
  const { epochs } = saved.state.progress;
  if (epochs > record.training.epochs)
    throw new StorageError(
      `${path} has trained ${epochs} epochs already, and ${record.training.epochs} are asked for. Expected ${epochs} or more.`,
    );
}

/**
 * Counts what a record asks for, before any of it is built.
 * @throws FormatError when its network does not fit the data, or training it would take more memory than the engine has
 */
function checkRoom(record: RunRecord, engine: Engine, width: number, path: string): void {
  const where = `${path}/${RUN_FILE}`;
  const { inputs } = record.model;
  if (inputs !== width)
    throw new FormatError(`\`model.inputs\` of ${where} is ${inputs}. Expected ${width}, as the data have.`);
  const { slots = 0, descent } = trainOptions(record).optimizer;
  const asked = 4 * sizeOfModel(record.model).weights * (1 + slots + (descent ? 0 : 1));
  const { limit } = engine.backend.heap;
  if (asked > limit)
    throw new FormatError(
      `The layers of ${where} ask for ${asked} bytes of weights, gradients and what the optimizer keeps. Expected ${limit} at most.`,
    );
}

/** @throws StorageError for data that are not those that a run began with */
export function checkSameData(
  { record, folder }: Pick<Run, 'record' | 'folder'>,
  { train: part, valid, test }: Parts,
): void {
  const { checksums, source } = record.data;
  const changed = Object.entries({ train: part, valid, test }).find(
    ([name, { checksum }]) => checksum !== checksums[name as keyof typeof checksums],
  );
  if (changed)
    throw new StorageError(
      `The data "${source}" are not those that ${folder.path} began with: their ${changed[0]} part has another checksum. Expected the same files.`,
    );
}

/** @throws StorageError when bits would differ from those of the sessions before */
function checkSame(run: Pick<Run, 'record' | 'folder'>, engine: Engine, parts: Parts, anyEngine: boolean): void {
  const { record, folder } = run;
  checkSameData(run, parts);
  if (engine.name !== record.engine.name && !anyEngine)
    throw new StorageError(
      `${folder.path} began on the engine ${record.engine.name}, and this is ${engine.name}: the result would not be that of an uninterrupted run. Expected the same engine (--blas PATH again, where it had a BLAS of its own), or --any-engine.`,
    );
}
