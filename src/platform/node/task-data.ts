import { basename } from 'node:path';
import { DataError } from '../../data/dataset.ts';
import type { DataKind } from '../../data/kinds.ts';
import type { Task } from '../../tasks/task.ts';
import { checkLoadOptions, classesAt, DATASET_NAMES, type LoadOptions } from './data-folder.ts';
import { loadSequences } from './sequence-data.ts';
import { type Loaded, loadTables, refuseFolder, tablesAt } from './table-data.ts';
import { loadTokens, TEXT_NAMES } from './text-data.ts';

/** Where the data of a kind come from. */
interface DataSource {
  /** Names of data sets that need no file of one's own; the first is what is loaded where none is named. */
  readonly names: readonly string[];
  /** What else may be named, for messages and help. */
  readonly files: string;
  load(source: string, options: LoadOptions): Promise<Loaded>;
}

/** Tables with numbers as targets. @throws DataError where there is none */
async function loadTargets(source: string, options: LoadOptions): Promise<Loaded> {
  const { tables, files } = await tablesAt(source, 'a CSV file');
  if (!tables) return refuseFolder(source, files, { lacks: 'no train.csv', expected: 'one, or a CSV file' });
  return loadTables(tables, basename(source), 'numbers', options);
}

/** Where each kind of data comes from: names of data sets, files, and how they are loaded. */
export const dataSources: Readonly<Record<DataKind, DataSource>> = {
  classes: {
    names: DATASET_NAMES,
    files: 'a folder of IDX files, a CSV file, or text:PATH of a text',
    load: classesAt,
  },
  targets: { names: [], files: 'a CSV file, or a folder of train.csv and test.csv', load: loadTargets },
  sequences: {
    names: ['pen-strings'],
    files: 'a file of JSON lines',
    load: async (source, options) => ({ parts: await loadSequences(source, options) }),
  },
  tokens: {
    names: TEXT_NAMES,
    files: 'a text file, or a folder of text files',
    load: loadTokens,
  },
};

/**
 * The data of a task, by name or path, in three parts.
 * @param source default: the first data set of the kind that the task takes
 * @throws DataError when there is none, or it is damaged; RangeError for a task that does not say which kind it takes
 */
export async function loadTaskData(
  { name, data: kind, standardizes }: Pick<Task, 'name' | 'data' | 'standardizes'>,
  source: string | undefined,
  options: LoadOptions = {},
): Promise<Loaded & { readonly source: string }> {
  checkLoadOptions('loadTaskData', options);
  if (kind === undefined)
    throw new RangeError(
      `The task "${name}" does not say what data it takes. Expected \`data\`, one of ${Object.keys(dataSources).join(', ')}.`,
    );
  const { names, files, load } = dataSources[kind];
  const asked = source ?? names.at(0);
  if (asked === undefined) throw new DataError(`The task "${name}" has no data set of its own. Expected ${files}.`);
  const table = { ...options.table, standardizeTargets: standardizes === true };
  return { source: asked, ...(await load(asked, { ...options, table })) };
}
