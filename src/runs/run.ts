import { CHECKPOINT_FILES, decodeCheckpoint, encodeCheckpoint } from '../io/checkpoint.ts';
import { FormatError } from '../io/format-error.ts';
import { sizeOfModel } from '../io/model-size.ts';
import { readingOfDescription } from '../tasks/index.ts';
import type { Reading } from '../tasks/reading.ts';
import { checkProgress, type Progress, type TrainingState } from '../train/state.ts';
import { type Folder, LockLostError, StorageError } from './folder.ts';
import { type RunLog, runLogs } from './logs.ts';
import { encodeLine, METRICS_FILE, type Metrics, type MetricsLine, MOST_METRICS, readMetrics } from './metrics.ts';
import { decodeRecord, encodeRecord, type RunRecord } from './record.ts';
import { settingsOf } from './settings.ts';
import { arraysOf, stateOf } from './state-arrays.ts';

export const RUN_FILE = 'run.json';
export const WEIGHTS_FILE = 'weights.safetensors';
const CHECKPOINTS = 'checkpoints';
/** The newest, and one to fall back to. */
const KEPT = 2;
const MOST_ATTEMPTS = 5;
/** A record is a few kilobytes, and 200 bytes a column of a table more. JSON may take twenty times its bytes of memory. */
const MOST_RECORD = 2 ** 22;
/** The JSON of a checkpoint tells of one epoch and of the settings. */
const MOST_FACTS = 2 ** 24;
/** What fits into one array. */
const MOST_FILE = 2 ** 32;
/** Bytes that a weight may have in a checkpoint: the optimizer's arrays, the best epoch, and what units keep. */
const PER_WEIGHT = 64;
/** What a small network's neurons may keep beside its weights. */
const BESIDE = 2 ** 26;

/** A state that was read back. */
export interface SavedState {
  readonly state: TrainingState<Progress>;
  /** Its checkpoint. */
  readonly name: string;
  /** Newer checkpoints that could not be read, each with the reason. */
  readonly damaged: readonly string[];
  /** With which settings it was trained; older versions did not keep them. See `checkSettings`. */
  readonly settings?: unknown;
}

/**
 * One run in its folder: run.json, metrics.jsonl (and logs beside it), checkpoints, and at the end weights.safetensors. Whatever
 * stands there is whole: files are replaced as a whole, and metrics.jsonl only grows.
 */
export class Run {
  readonly folder: Folder;
  private current: RunRecord;

  /** Does its folder hold it? */
  private written: boolean;

  private constructor(folder: Folder, record: RunRecord, written: boolean) {
    this.folder = folder;
    this.current = record;
    this.written = written;
  }

  /** Begins a run. @throws StorageError when the folder holds anything already, or cannot be written */
  static async create(folder: Folder, record: RunRecord): Promise<Run> {
    const run = new Run(folder, readable(folder, record), false);
    const lock = await folder.lock();
    try {
      await run.checkEmpty();
      await run.rewrite(record);
    } finally {
      await lock.release();
    }
    return run;
  }

  /**
   * A run that is about to begin: nothing is written before `trainRun` has found everything as it should be.
   * @throws StorageError when the folder holds anything already
   */
  static async plan(folder: Folder, record: RunRecord): Promise<Run> {
    const run = new Run(folder, readable(folder, record), false);
    await run.checkEmpty();
    return run;
  }

  /** Opens a run. @throws StorageError when there is none; FormatError when its run.json is damaged */
  static async open(folder: Folder): Promise<Run> {
    const bytes = await folder.read(RUN_FILE, MOST_RECORD);
    if (!bytes) throw new StorageError(`${folder.path} holds no run: there is no ${RUN_FILE}. Expected a run.`);
    return new Run(folder, decodeRecord(bytes, `${folder.path}/${RUN_FILE}`), true);
  }

  /**
   * For a writer who has just taken the lock: what others have written since the run was opened.
   * @throws as `open`; for a run that is about to begin StorageError when the folder holds anything already
   */
  async refresh(): Promise<void> {
    if (!this.written) return this.checkEmpty();
    const now = await Run.open(this.folder);
    if (now.record.task.name !== this.record.task.name)
      throw new StorageError(`${this.folder.path} holds another run now.`);
    this.current = now.record;
  }

  private async checkEmpty(): Promise<void> {
    const { folder } = this;
    const [found] = (await folder.list()).filter((name) => !name.startsWith('.'));
    if (found !== undefined)
      throw new StorageError(`${folder.path} holds ${found} already. Expected a new or empty folder.`);
  }

  /** Does a folder hold a run? */
  static async isIn(folder: Folder): Promise<boolean> {
    return (await folder.list()).includes(RUN_FILE);
  }

  get record(): RunRecord {
    return this.current;
  }

  /** How the numbers of its task read. */
  get reading(): Reading {
    return readingOfDescription(this.current.task);
  }

  /** Replaces run.json, or writes it for the first time. */
  async rewrite(record: RunRecord): Promise<void> {
    await this.folder.write(RUN_FILE, encodeRecord(record));
    this.current = record;
    this.written = true;
  }

  /** The same unless it says so already. */
  async ensure(record: RunRecord): Promise<void> {
    if (!this.written || record !== this.current) await this.rewrite(record);
  }

  /** What has been logged so far, without a last line that was cut short. @throws FormatError when another line is damaged */
  async metrics(): Promise<MetricsLine[]> {
    return (await this.readMetrics()).lines;
  }

  /** The same with the bytes that they take. @throws as `metrics` */
  readMetrics(): Promise<Metrics> {
    const { folder } = this;
    return readMetrics(folder.pieces(METRICS_FILE, MOST_METRICS), `${folder.path}/${METRICS_FILE}`, this.reading);
  }

  /**
   * Makes metrics.jsonl and the logs whole again after a kill or a full disk: ends that were cut short go, entries that the logs
   * lack come.
   * @returns the lines so far
   */
  async repair(): Promise<MetricsLine[]> {
    const { folder } = this;
    const { lines, length, size } = await this.readMetrics();
    if (length < size) await folder.truncate(METRICS_FILE, length);
    for (const log of this.logs) {
      const file = (await folder.read(log.file, mostOfLog(size))) ?? new Uint8Array(0);
      const whole = log.intact(file);
      const taken = lines.filter((line) => log.takes(line));
      // More entries than lines: the log is ahead of metrics.jsonl, whose last line was lost.
      const good = whole.entries <= taken.length ? whole : { entries: 0, length: 0 };
      if (good.length < file.length) await folder.truncate(log.file, good.length);
      for (const [i, line] of taken.entries())
        if (i >= good.entries) await folder.append(log.file, log.encode(line, this.reading, i === 0));
    }
    return lines;
  }

  /** Adds a line to metrics.jsonl and to the logs. @param before the lines so far */
  async log(line: MetricsLine, before: readonly MetricsLine[]): Promise<void> {
    try {
      await this.folder.append(METRICS_FILE, encodeLine(line));
      for (const log of this.logs) {
        if (!log.takes(line)) continue;
        const first = !before.some((other) => log.takes(other));
        await this.folder.append(log.file, log.encode(line, this.reading, first));
      }
    } catch (error) {
      throw withWhatIsKept(error, (await this.checkpoints()).at(-1));
    }
  }

  private get logs(): readonly RunLog[] {
    return this.current.logs.map((name) => runLogs[name]);
  }

  /** The most that a file of the network's arrays may have, by what run.json says of its layers. */
  private get mostBytes(): number {
    const { weights, exact } = sizeOfModel(this.record.model);
    return exact ? Math.min(MOST_FILE, PER_WEIGHT * weights + BESIDE) : MOST_FILE;
  }

  /** The file of the weights that stand at the end; undefined where there is none. */
  weights(): Promise<Uint8Array | undefined> {
    return this.folder.read(WEIGHTS_FILE, this.mostBytes);
  }

  /**
   * For training to be refused at once.
   * @param size of metrics.jsonl in bytes
   * @throws StorageError when something stands where training will write that it would not write over
   */
  async checkPlaces(size: number): Promise<void> {
    const most = [[WEIGHTS_FILE, MOST_FILE] as const, ...this.logs.map(({ file }) => [file, mostOfLog(size)] as const)];
    for (const [name, bytes] of most) for await (const _ of this.folder.pieces(name, bytes)) break;
  }

  /** Names of the checkpoints, the oldest first. */
  async checkpoints(): Promise<readonly string[]> {
    return (await this.folder.list(CHECKPOINTS)).filter((name) => /^epoch-\d+-step-\d+$/.test(name));
  }

  /**
   * Saves a state as a checkpoint, and removes all but the one before it. Where the disk is full, the one before it goes too
   * if there is still an older one.
   * @returns the checkpoint's name
   * @throws StorageError when there is no room: the message names the last good checkpoint
   */
  async save(state: TrainingState<Progress>): Promise<string> {
    const { folder } = this;
    const { epochs, step } = state.progress;
    const name = `epoch-${String(epochs).padStart(6, '0')}-step-${String(step).padStart(10, '0')}`;
    const others = (await this.checkpoints()).filter((other) => other !== name);
    if ((await this.checkpoints()).includes(name)) {
      if (typeof (await this.read(name)) !== 'string') return name;
      await folder.remove(`${CHECKPOINTS}/${name}`);
    }
    const settings = settingsOf(this.record);
    const files = encodeCheckpoint({ arrays: arraysOf(state), facts: state.progress, settings });
    const write = () => folder.write(`${CHECKPOINTS}/${name}`, files);
    try {
      // A checkpoint never outlives the lines of its epochs.
      await folder.sync(METRICS_FILE);
      await write().catch(async (error: unknown) => {
        if (!(error instanceof StorageError && error.full && others.length >= KEPT)) throw error;
        await folder.remove(`${CHECKPOINTS}/${others[0]}`);
        await write();
      });
    } catch (error) {
      throw withWhatIsKept(error, others.at(-1));
    }
    for (const old of others.slice(0, -(KEPT - 1))) await folder.remove(`${CHECKPOINTS}/${old}`);
    return name;
  }

  /** The newest state that can be read; undefined where there is no checkpoint. @throws FormatError when all are damaged */
  async latest(): Promise<SavedState | undefined> {
    for (let attempt = 1; ; attempt++) {
      const names = await this.checkpoints();
      const damaged: string[] = [];
      for (const name of [...names].reverse()) {
        const found = await this.read(name);
        if (typeof found !== 'string') return { ...found, name, damaged };
        damaged.push(found);
      }
      if (damaged.length === 0) return undefined;
      // A writer may have put newer ones in their place meanwhile.
      if (attempt === MOST_ATTEMPTS || (await this.checkpoints()).join() === names.join())
        throw new FormatError(`No checkpoint of ${this.folder.path} can be read. ${damaged.join(' ')}`);
    }
  }

  /** A checkpoint's state, or why it cannot be read. */
  private async read(name: string): Promise<Pick<SavedState, 'state' | 'settings'> | string> {
    const { folder } = this;
    try {
      const place = `${CHECKPOINTS}/${name}`;
      const files: Record<string, Uint8Array | undefined> = {};
      const most = { [CHECKPOINT_FILES.arrays]: this.mostBytes, [CHECKPOINT_FILES.facts]: MOST_FACTS };
      for (const file of Object.values(CHECKPOINT_FILES))
        files[file] = await folder.read(`${place}/${file}`, most[file]);
      const { arrays, facts, settings } = decodeCheckpoint(files, `${folder.path}/${place}`);
      const state = stateOf(arrays, checkProgress<Progress>(facts, this.reading));
      return { state, ...(settings !== undefined && { settings }) };
    } catch (error) {
      if (error instanceof FormatError || error instanceof RangeError || error instanceof StorageError)
        return error.message;
      throw error;
    }
  }
}

/** A record that can be read back: who trains for hours would not want to be told later. @throws FormatError */
function readable(folder: Folder, record: RunRecord): RunRecord {
  const bytes = encodeRecord(record);
  if (bytes.length > MOST_RECORD)
    throw new FormatError(
      `${folder.path}/${RUN_FILE} would have ${bytes.length} bytes. Expected ${MOST_RECORD} at most: a table with fewer columns, shorter names, or fewer categories.`,
    );
  decodeRecord(bytes, `${folder.path}/${RUN_FILE}`);
  return record;
}

/** The most bytes of a log beside metrics of so many. */
const mostOfLog = (metrics: number): number => Math.min(MOST_FILE, 16 * metrics + BESIDE);

/** Says after what could not be written what there is to go on from. */
function withWhatIsKept(error: unknown, checkpoint: string | undefined): unknown {
  if (!(error instanceof StorageError) || error instanceof LockLostError) return error;
  const kept = checkpoint ? `The last good checkpoint, ${checkpoint}, is kept.` : 'There is no checkpoint yet.';
  return new StorageError(`${error.message} ${kept}`, { full: error.full, cause: error });
}
