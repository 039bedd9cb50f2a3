import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { DataError, splitPlaces } from '../../data/dataset.ts';
import {
  type EncodeOptions,
  labelledRows,
  measureTable,
  rowsOf,
  targetRows,
  wantTargets,
} from '../../data/encode-table.ts';
import { type RawTable, tableReader } from '../../data/table.ts';
import type { ReadKind, TableForm, TableOptions, TargetKind } from '../../data/table-form.ts';
import type { TableReading } from '../../data/table-reading.ts';
import { tableText } from '../../data/table-text.ts';
import { tableWarnings } from '../../data/table-warnings.ts';
import { USUAL_SEED } from '../../random/stream.ts';
import type { NamesOf } from '../../schema/names.ts';
import type { Parts, TaskData } from '../../tasks/task.ts';
import { eachRecord, watchLines } from './csv.ts';
import { readDataFile } from './data-file.ts';
import { type FolderFile, filesIn, folderIn } from './folder-files.ts';

/** How tables of one's own are read and encoded. */
export interface TableLoadOptions extends TableOptions, EncodeOptions {}

export const tableOptionNames: NamesOf<TableLoadOptions> = {
  targets: true,
  missing: true,
  categorical: true,
  guess: true,
  header: true,
  standardize: true,
  standardizeTargets: true,
  scale: true,
};

/** Data, and of tables what was understood of them. */
export interface Loaded<D extends TaskData = TaskData> {
  readonly parts: Parts<D>;
  readonly reading?: TableReading;
  /** What was understood, and what a person should look at: sentences. */
  readonly told?: readonly string[];
  readonly warnings?: readonly string[];
  /** Of texts: bytes that are read at once. */
  readonly context?: number;
}

/** Reads a CSV file as a table. @param kind of its targets; none: they are not read @param form of the one that it has to be like */
export function readTable(
  bytes: Uint8Array,
  where: string,
  kind: ReadKind,
  options: TableOptions = {},
  form?: TableForm,
): RawTable {
  const reader = tableReader(where, kind, options, form);
  eachRecord(bytes, where, (cells, line) => reader.row(cells, line));
  return reader.end();
}

/** The table of a test file, read like the training file; undefined where it has nothing to compare with: only its first row is read. */
function readTest(
  bytes: Uint8Array,
  where: string,
  kind: TargetKind,
  options: TableOptions,
  form: TableForm,
): RawTable | undefined {
  const reader = tableReader(where, kind, options, form);
  let told = true;
  eachRecord(bytes, where, (cells, line) => {
    told = reader.tells(cells, line);
    if (told) reader.row(cells, line);
    return told;
  });
  return told ? reader.end() : undefined;
}

/** The tables of a data set. */
export interface Tables {
  readonly train: string;
  readonly test?: string;
  /** Names of other tables beside them, which are not read. */
  readonly others: readonly string[];
}

/** What makes examples of rows, by what the targets are. */
const makers = {
  classes: labelledRows,
  numbers: targetRows,
};

/**
 * The parts of a CSV file, or of a training and a test file. A test file without what is to be told is left out.
 * @param reading of the data that a network was trained on: these are read in the same way
 * @throws DataError when a file is not such a table
 */
export async function loadTables(
  { train, test: tested, others }: Tables,
  name: string,
  kind: TargetKind,
  {
    table: asked = {},
    reading: known,
    seed = USUAL_SEED,
    signal,
    whole = false,
  }: {
    readonly table?: TableLoadOptions | undefined;
    readonly reading?: TableReading | undefined;
    readonly seed?: number | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly whole?: boolean | undefined;
  },
): Promise<Loaded> {
  const bytesOf = async (path: string): Promise<Uint8Array> => {
    signal?.throwIfAborted();
    return readDataFile(path, watchLines(path));
  };
  const all = readTable(await bytesOf(train), train, kind, asked, known);
  wantTargets(all);
  const form = known ?? all.form;
  const test = tested === undefined ? undefined : readTest(await bytesOf(tested), tested, kind, asked, form);
  const every = rowsOf(all);
  const places =
    whole && tested === undefined
      ? { train: every, valid: every, test: every }
      : splitPlaces(name, all.count, seed, { testApart: test !== undefined });
  const reading = known ?? measureTable(all, places.train, asked, test ? [test] : []);
  const classes = Math.max(...[all, test].map((table) => largestTarget(table))) + 1;
  const make = (table: RawTable, rows?: readonly number[]): TaskData =>
    makers[kind](name, table, reading, { ...(rows && { rows }), ...(kind === 'classes' && { classes }) });
  return {
    parts: {
      train: make(all, places.train),
      valid: make(all, places.valid),
      test: test ? make(test) : make(all, places.test),
    },
    reading,
    told: [
      ...tableText(all, reading, kind),
      ...(tested !== undefined && !test ? [`${basename(tested)} has no labels and is left out`] : []),
      ...(others.length > 0 ? [`left out, as neither train.csv nor test.csv: ${others.join(', ')}`] : []),
    ],
    warnings: tableWarnings(all, reading, places.train, kind),
  };
}

function largestTarget(table: RawTable | undefined): number {
  return table?.targets?.reduce((most, target) => Math.max(most, target), 0) ?? 0;
}

const [TRAIN, TEST, TABLE] = [/^train\.csv(\.gz)?$/, /^test\.csv(\.gz)?$/, /\.csv(\.gz)?$/];

/** The tables among the files of a folder; undefined where none is train.csv. */
function tablesAmong(files: readonly FolderFile[]): Tables | undefined {
  const find = (pattern: RegExp) => files.find(({ name }) => pattern.test(name))?.path;
  const [train, test] = [find(TRAIN), find(TEST)];
  if (train === undefined) return undefined;
  const others = tableNames(files).filter((name) => !TRAIN.test(name) && !TEST.test(name));
  return { train, ...(test !== undefined && { test }), others };
}

type Found =
  | { readonly tables: Tables; readonly files?: undefined }
  | { readonly tables?: undefined; readonly files: readonly FolderFile[] };

/**
 * The tables of a file or a folder; of a folder without a table to train on, its files.
 * @param expected what may lie there, for messages @throws DataError where nothing does
 */
export async function tablesAt(path: string, expected: string): Promise<Found> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts)
    throw new DataError(`There is no data set, file or folder ${JSON.stringify(path)}. Expected ${expected}.`);
  if (!facts.isDirectory()) return { tables: { train: path, others: [] } };
  const files = await filesIn(path);
  const tables = tablesAmong(files);
  return tables ? { tables } : { files };
}

/**
 * Refuses a folder without data.
 * @param lacks what it does not hold, and `expected`: for messages
 * @throws DataError that names a folder called like the table to train on, or else the other tables there
 */
export async function refuseFolder(
  folder: string,
  files: readonly FolderFile[],
  { lacks, expected }: { readonly lacks: string; readonly expected: string },
): Promise<never> {
  const named = await folderIn(folder, TRAIN);
  throw new DataError(
    named === undefined
      ? `${folder} holds ${lacks}. Expected ${expected}${otherTables(files)}.`
      : `${named} is a folder. Expected a file.`,
  );
}

/** Names of all tables among some files. */
const tableNames = (files: readonly FolderFile[]): string[] =>
  files.flatMap(({ name }) => (TABLE.test(name) ? [name] : []));

/** What to do with a folder whose tables are called otherwise, as the end of a message. */
function otherTables(files: readonly FolderFile[]): string {
  const [first, ...more] = tableNames(files);
  if (first === undefined) return '';
  return more.length === 0
    ? `; or the path of the file ${first} there`
    : `; or the path of one of ${[first, ...more].join(', ')} there`;
}
