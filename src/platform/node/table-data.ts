import { basename } from 'node:path';
import { DataError, splitPlaces } from '../../data/dataset.ts';
import {
  type EncodeOptions,
  labelledRows,
  measureTable,
  rowsOf,
  type TableReading,
  tableText,
  tableWarnings,
  targetRows,
  wantTargets,
} from '../../data/encode-table.ts';
import {
  type RawTable,
  type ReadKind,
  type TableForm,
  type TableOptions,
  type TargetKind,
  tableReader,
} from '../../data/table.ts';
import { USUAL_SEED } from '../../random/stream.ts';
import type { Parts, TaskData } from '../../tasks/task.ts';
import { eachRecord, watchLines } from './csv.ts';
import { readDataFile } from './data-file.ts';

/** How tables of one's own are read and encoded. */
export interface TableLoadOptions extends TableOptions, EncodeOptions {}

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
  paths: readonly string[],
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
  const read = async (path: string, form?: TableForm): Promise<RawTable> => {
    signal?.throwIfAborted();
    return readTable(await readDataFile(path, watchLines(path)), path, kind, asked, form);
  };
  const all = await read(paths[0], known);
  wantTargets(all);
  const second = paths[1] === undefined ? undefined : await read(paths[1], known ?? all.form);
  const test = second?.targets ? second : undefined;
  const every = rowsOf(all);
  const places =
    whole && second === undefined
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
      ...tableText(all, reading),
      ...(second && !test ? [`${basename(second.where)} has nothing to compare with and is left out`] : []),
    ],
    warnings: tableWarnings(all, reading, places.train, kind),
  };
}

function largestTarget(table: RawTable | undefined): number {
  return table?.targets?.reduce((most, target) => Math.max(most, target), 0) ?? 0;
}

/** The table or tables at a path. @throws DataError for something else */
export function tablesAt(path: string, files: readonly string[] | undefined): readonly string[] {
  if (files === undefined) return [path];
  const find = (pattern: RegExp) => files.find((file) => pattern.test(file));
  const train = find(/^train\.csv(\.gz)?$/);
  const test = find(/^test\.csv(\.gz)?$/);
  if (train === undefined) throw new DataError(`${path} holds no train.csv. Expected one, or a CSV file.`);
  return [train, ...(test === undefined ? [] : [test])].map((file) => `${path}/${file}`);
}
