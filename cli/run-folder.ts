import { mkdirSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { parse, resolve } from 'node:path';
import {
  classification,
  describeTask,
  type Engine,
  type LogName,
  type ModelDescription,
  type Parts,
  RUN_FORMAT,
  Run,
  type RunRecord,
  resolveOptimizer,
  resolveTask,
  type Split,
  shapeOf,
  type TableReading,
  type Task,
  type TaskData,
} from '../src/index.ts';
import {
  dataSources,
  isText,
  type LoadOptions,
  loadTaskData,
  nodeFolder,
  provenance,
  TEXT_NAMES,
} from '../src/platform/node/index.ts';
import { makeFolders } from '../src/platform/node/make-folders.ts';
import { recordedBlas } from '../src/runs/recorded-blas.ts';
import { checkSameData } from '../src/runs/train-run.ts';
import { trainedSettings } from '../src/runs/train-settings.ts';
import { UsageError } from './exit.ts';
import { toldOf } from './network-flags.ts';
import type { OwnCodeOf } from './own-code.ts';
import { estimatorProbeOf, optimizerSettings, type TrainConfig } from './train-config.ts';

/** Where runs go that are not told where: $FLIPGRAD_RUNS, else `runs` in the working folder. */
export const runsFolder = (): string => process.env.FLIPGRAD_RUNS ?? 'runs';

/**
 * Does something with the folder of a new run: the one that is named, or one with the time, the neuron and the seed in its name. Folders
 * that were made for it are gone again when that fails before it has written anything.
 */
export async function withNewFolder<T>(
  named: string | undefined,
  config: TrainConfig,
  seed: number,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (named !== undefined) return use(named);
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const name = `${time}-${labelOf(config).replaceAll(/[^a-z0-9-]+/gi, '_')}-${seed}`;
  const made = makeFolders(runsFolder());
  const path = makeFolder(name);
  try {
    return await use(path);
  } finally {
    // Neither does anything to a folder that holds something.
    await rmdir(path).catch(() => {});
    if (made !== undefined) await rmdir(runsFolder()).catch(() => {});
  }
}

const labelOf = ({ model, neuron, net }: TrainConfig): string =>
  model === 'net' ? parse(net ?? '').name : model === 'layers' ? model : neuron;

/** A folder of that name or, where others have it, with a number after it. */
function makeFolder(name: string): string {
  for (let number = 1; ; number++) {
    const path = resolve(runsFolder(), number === 1 ? name : `${name}-${number}`);
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Opens the run of a folder. @throws StorageError when there is none, FormatError when its record is damaged */
export const openRun = (path: string): Promise<Run> => Run.open(nodeFolder(path));

/** The task of a run. @throws RangeError for one of a file that is not named */
export const taskOfRun = ({ record }: Run, { tasks }: Pick<OwnCodeOf, 'tasks'>): Task =>
  resolveTask(record.task, tasks);

/** The data that a run began with, or others that are read in the same way. @throws what loading throws */
export async function dataOfRun({ record }: Run, task: Task, options: LoadOptions, from?: string): Promise<Parts> {
  const { source, seed, table, scale, context } = record.data;
  // Runs of versions before, and of data that are no tables.
  const how = table ? { reading: table } : { table: { guess: true, ...(from !== undefined && { scale }) } };
  return (await loadTaskData(task, from ?? source, { ...options, seed, context, ...how })).parts;
}

/** Is it the shipped task of that name? A task of one's own may minimise another loss. */
export const isClassification = (task: Task): boolean => task === resolveTask(classification.name);

/**
 * The data that a run on classes began with, and its task.
 * @param moved where they lie now @throws UsageError for a task on other data; StorageError for other data
 */
export async function classesOfRun(
  run: Run,
  code: Pick<OwnCodeOf, 'tasks'>,
  options: LoadOptions,
  moved?: string,
): Promise<{ readonly task: Task; readonly split: Split }> {
  const task = taskOfRun(run, code);
  if (task.data !== 'classes')
    throw new UsageError(
      `${run.folder.path} is a run of the task "${task.name}". Expected a run of a classifier, whose data are classes.`,
    );
  const parts = await dataOfRun(run, task, options, moved);
  checkSameData(run, parts);
  return { task, split: parts as unknown as Split };
}

const NAMES = Object.values(dataSources).flatMap(({ names }) => names);

/** Is it a data set that has a name? */
export const isNamed = (source: string): boolean =>
  NAMES.includes(source) || (isText(source) && TEXT_NAMES.includes(source.slice(source.indexOf(':') + 1)));

/** The name of a data set, or its path, which is the same file from any working folder. */
export function sourceOf(source: string): string {
  const [, word = '', path] = /^(text:)?(.*)$/s.exec(source) as unknown as [string, string | undefined, string];
  return isNamed(source) ? source : `${word}${resolve(path)}`;
}

/** What a record holds besides the settings. */
interface About {
  readonly source: string;
  readonly seed: number;
  readonly task: Task;
  readonly data: Parts;
  readonly reading?: TableReading;
  readonly context?: number | undefined;
  readonly model: ModelDescription;
  readonly engine: Engine;
  readonly simd: string;
  readonly blas: string;
  readonly logs: readonly LogName[];
  readonly own?: OwnCodeOf;
}

/** What run.json says of a run that is about to begin. */
export function recordOf(config: TrainConfig, about: About): RunRecord {
  const { data, engine, seed, task } = about;
  const { versions, machine, commit } = provenance();
  const { epochs, batch } = config;
  const optimizer = resolveOptimizer(config.optimizer, optimizerSettings(config));
  const { neurons = [], files = [] } = about.own ?? {};
  const estimatorProbe = estimatorProbeOf(config, neurons);
  return {
    format: RUN_FORMAT,
    created: new Date().toISOString(),
    config: { data: about.source, ...toldOf(config), seed },
    task: describeTask(task),
    model: about.model,
    training: {
      epochs,
      batch,
      ...trainedSettings(config),
      optimizer: { name: optimizer.name, options: optimizer.options },
      ...(estimatorProbe && { estimatorProbe }),
    },
    seed,
    data: {
      source: sourceOf(about.source),
      seed,
      name: data.train.name,
      checksums: each(data, ({ checksum }) => checksum),
      examples: each(data, ({ count }) => count),
      ...shapeOf(task, data.train),
      ...(about.reading && { table: about.reading }),
      ...(about.context !== undefined && { context: about.context }),
    },
    engine: {
      name: engine.name,
      threads: engine.threads,
      simd: about.simd,
      blas: recordedBlas(about.blas),
      crossovers: engine.crossovers,
    },
    versions,
    machine,
    ...(commit !== undefined && { commit }),
    logs: about.logs,
    ...(files.length > 0 && { own: files }),
  };
}

function each<T>({ train, valid, test }: Parts, of: (part: TaskData) => T): { train: T; valid: T; test: T } {
  return { train: of(train), valid: of(valid), test: of(test) };
}
