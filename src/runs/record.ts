import { areCrossovers, type Crossovers } from '../backend/crossovers.ts';
import type { DataShape } from '../data/kinds.ts';
import { FormatError } from '../io/format-error.ts';
import { asObject, decodeText, parseJson, shorten } from '../io/json.ts';
import type { ModelDescription } from '../nn/model.ts';
import { type Optimizer, resolveOptimizer } from '../optim/index.ts';
import {
  bounded,
  byName,
  eachOptional,
  either,
  filled,
  flag,
  list,
  number,
  oneOf,
  open,
  openTo,
  optional,
  problemOf,
  type Schema,
  text,
  that,
  unknown,
  where,
  whole,
} from '../schema/schema.ts';
import { readingOfDescription, type TaskDescription } from '../tasks/index.ts';
import { nameIn, type Reading, resultFigures } from '../tasks/reading.ts';
import type { TaskResultEvent } from '../train/events.ts';
import { estimatorProbeSettings, loopSettings } from '../train/settings.ts';
import { FORMAT_1, upgraded } from './format-1.ts';
import { LOG_NAMES, type LogName } from './logs.ts';
import { type OwnFile, ownFiles } from './own.ts';
import { EXPECTED_BLAS, isRecordedBlas, type RecordedBlas } from './recorded-blas.ts';
import { renamed } from './renamed.ts';

/** How a run trains: options of `train` as plain JSON. */
export interface TrainingSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: { readonly name: string; readonly options: Readonly<Record<string, number>> };
  readonly decay?: number;
  readonly seed?: number;
  readonly gaterLearningRate?: number;
  readonly maxNorm?: number;
  readonly patience?: number;
  readonly validation?: 'threshold' | 'mean-field';
  readonly validateEvery?: number;
  /** Neurons that are measured beside the one that trains. */
  readonly estimatorProbe?: {
    readonly neurons: readonly string[];
    readonly every?: number;
    readonly repeats?: number;
    readonly site?: string;
  };
}

/** On what a run trains. */
export interface DataFacts extends DataShape {
  /** What the loader was asked for, and with which seed. */
  readonly source: string;
  readonly seed: number;
  readonly name: string;
  /** SHA-256 of every part. */
  /** Of texts: bytes that are read at once; default 128 of sequences, 32 of examples with a class. */
  readonly context?: number;
  readonly checksums: { readonly train: string; readonly valid: string; readonly test: string };
  readonly examples: { readonly train: number; readonly valid: number; readonly test: number };
}

/** With what a run computes. */
export interface EngineFacts {
  /** Kernel build and BLAS: what the bits of the result depend on. */
  readonly name: string;
  readonly threads: number;
  /** What was asked for, to ask for it again; of a library's path only that it was not `off`. */
  readonly simd: string;
  readonly blas: RecordedBlas;
  readonly crossovers: Crossovers;
}

/** run.json: what the run is, complete enough to do it again or to go on with it; and how it ended. */
export interface RunRecord {
  readonly format: typeof RUN_FORMAT;
  /** When it was made, ISO 8601. */
  readonly created: string;
  /** What the user asked for, for people and comparisons. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly task: TaskDescription;
  readonly model: ModelDescription;
  readonly training: TrainingSettings;
  readonly seed: number;
  readonly data: DataFacts;
  readonly engine: EngineFacts;
  /** Of flipgrad, the runtime, and so on. */
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | number>>;
  /** Of flipgrad's repository, where it ran from one; with "+" where files were changed. */
  readonly commit?: string;
  readonly logs: readonly LogName[];
  /** Files of the user's own code that it began with. */
  readonly own?: readonly OwnFile[];
  readonly result?: TaskResultEvent;
}

/** The format of run.json, as its `format` names it. */
export const RUN_FORMAT = 'flipgrad run 2';

/** Of what a record may hold many of. Each costs far more than its bytes. */
const MOST = 1000;

const parts = <T extends Schema>(of: T) => open({ train: of, valid: of, test: of });
const word = either([text, number], 'a text or a number');
const figure = open({
  title: text,
  unit: optional(text),
  digits: optional(whole(0, 20)),
  parts: optional(list(oneOf(['train', 'valid', 'test']), 'parts of the data', 3)),
  timesLoss: optional(number),
});
const reading = open({
  loss: figure,
  figures: byName(figure),
  best: open({ metric: text, better: oneOf(['less', 'more']) }),
  counted: list(text, 'names'),
  assessed: flag,
});

const MOST_COLUMNS = 10_000;
const column = open({ name: text, values: optional(list(text, 'values', MOST)) });
const measured = optional(list(number, 'numbers', MOST_COLUMNS));
const table = open({
  named: flag,
  columns: filled(list(column, 'columns', MOST_COLUMNS), 'one column at least'),
  targets: list(open({ name: text, classes: optional(list(text, 'classes', MOST)) }), 'targets', MOST),
  missing: oneOf(['error', 'mean', 'drop']),
  scale: number,
  fill: measured,
  center: measured,
  spread: measured,
  targetCenter: measured,
  targetSpread: measured,
});

/** A picture's pixels are an example's features. */
const isWhole = (picture: { readonly width: number; readonly height: number }, width: number): boolean =>
  picture.width * picture.height === width;

/** Every field of run.json but its result, which follows from the task. */
const schema = open({
  created: text,
  config: byName(unknown()),
  task: open({ name: text, options: optional(byName(word)), reading: optional(reading) }),
  model: open({
    inputs: whole(1),
    layers: filled(list(openTo({ layer: text, name: text }, bounded(MOST)), 'layers', MOST), 'one layer at least'),
  }),
  training: open({
    ...eachOptional(loopSettings),
    epochs: loopSettings.epochs,
    batch: loopSettings.batch,
    optimizer: open({ name: text, options: byName(number) }),
    estimatorProbe: optional(open(estimatorProbeSettings)),
  }),
  seed: number,
  data: where(
    open({
      source: text,
      seed: number,
      name: text,
      checksums: parts(text),
      examples: parts(whole(0)),
      width: whole(1),
      outputs: whole(1),
      classes: optional(whole(1)),
      scale: optional(number),
      image: optional(open({ width: whole(1), height: whole(1) })),
      table: optional(table),
      context: optional(whole(1)),
    }),
    ({ image, width }) => image === undefined || isWhole(image, width),
    'an `image` whose width and height give its `width` in pixels',
  ),
  engine: open({
    name: text,
    threads: number,
    simd: text,
    blas: that(isRecordedBlas, EXPECTED_BLAS),
    crossovers: that(areCrossovers, 'a share from 0 to 1 for sizes of blocks from 1 up'),
  }),
  versions: byName(text),
  machine: byName(word),
  commit: optional(text),
  logs: where(
    list(oneOf(LOG_NAMES), 'logs', LOG_NAMES.length),
    (logs) => new Set(logs).size === logs.length,
    `some of ${LOG_NAMES.join(', ')}, each once`,
  ),
  own: optional(ownFiles),
});

/** What a result of a task has. */
function resultSchema(task: Reading): Schema {
  const named = (names: readonly string[], of: Schema) => Object.fromEntries(names.map((name) => [name, of]));
  const inModes = open({ sampled: number, threshold: number, meanField: number });
  const tests = resultFigures(task, 'test').map(({ name }) => name);
  const measured = {
    trainLoss: number,
    density: number,
    flops: open({ executed: number, dense: number, gater: number }),
    training: open({ executed: number, all: number }),
    ...named(tests, inModes),
  };
  return open({
    ...named(['bestEpoch', 'epochs', 'seconds', 'threads', 'seed', nameIn('valid', task.best.metric)], number),
    engine: text,
    ...(task.assessed ? named(tests, number) : measured),
  });
}

/** run.json as bytes. */
export function encodeRecord(record: RunRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Reads run.json, of unknown origin; those of the format before are read as if they were of this one.
 * @throws FormatError that names the field
 */
export function decodeRecord(bytes: Uint8Array, where: string): RunRecord {
  const given = asObject(parseJson(decodeText(bytes, where), where), where);
  if (given.format !== RUN_FORMAT && given.format !== FORMAT_1)
    throw new FormatError(
      `${where} has the format ${shorten(given.format)}. Expected "${RUN_FORMAT}", or "${FORMAT_1}" of the version before.`,
    );
  const record = renamed(given.format === FORMAT_1 ? { ...upgraded(given, where), format: RUN_FORMAT } : given);
  checkAs(schema, record, where);
  const told = record as unknown as RunRecord;
  const task = readingIn(told, where);
  if (told.result !== undefined) checkAs(open({ result: resultSchema(task) }), record, where);
  return told;
}

function checkAs(of: Schema, record: unknown, where: string): void {
  const problem = problemOf(of, record, where);
  if (problem !== undefined) throw new FormatError(problem);
}

function readingIn({ task }: RunRecord, where: string): Reading {
  try {
    return readingOfDescription(task);
  } catch (error) {
    throw new FormatError(`\`task\` of ${where} is ${shorten(task)}: ${(error as Error).message}`, { cause: error });
  }
}

/** The options of `train` that a record stands for. @throws RangeError for an optimizer that there is not */
export function trainOptions({
  training,
}: Pick<RunRecord, 'training'>): Omit<TrainingSettings, 'optimizer'> & { readonly optimizer: Optimizer } {
  const { optimizer, ...rest } = training;
  return { ...rest, optimizer: resolveOptimizer(optimizer.name, optimizer.options) };
}
