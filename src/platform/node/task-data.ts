import { DataError } from '../../data/dataset.ts';
import type { DataKind } from '../../data/kinds.ts';
import type { Parts, Task } from '../../tasks/task.ts';
import { DATASET_NAMES, type LoadOptions, loadDataset } from './data-folder.ts';
import { loadSequences } from './sequence-data.ts';
import { loadTokens } from './text-data.ts';

/** Where the data of a kind come from. */
interface DataSource {
  /** Names of data sets that need no file of one's own; the first is what is loaded where none is named. */
  readonly names: readonly string[];
  /** What else may be named, for messages and help. */
  readonly files: string;
  load(source: string, options: LoadOptions): Promise<Parts>;
}

export const dataSources: Readonly<Partial<Record<DataKind, DataSource>>> = {
  classes: {
    names: DATASET_NAMES,
    files: 'a folder of IDX files, a CSV file, or text:PATH of a text',
    load: loadDataset,
  },
  sequences: { names: ['pen-strings'], files: 'a file of JSON lines', load: loadSequences },
  tokens: { names: [], files: 'a text file, or a folder of text files', load: loadTokens },
};

/**
 * The data of a task, by name or path, in three parts.
 * @param source default: the first data set of the kind that the task takes
 * @throws DataError when there is none, or it is damaged; RangeError for a task that does not say which kind it takes
 */
export async function loadTaskData(
  { name, data: kind }: Pick<Task, 'name' | 'data'>,
  source: string | undefined,
  options: LoadOptions = {},
): Promise<{ readonly source: string; readonly parts: Parts }> {
  if (kind === undefined)
    throw new RangeError(
      `The task "${name}" does not say what data it takes. Expected \`data\`, one of ${Object.keys(dataSources).join(', ')}.`,
    );
  const known = dataSources[kind];
  if (!known) throw new DataError(`No file of ${kind} can be read. Expected a program that trains the task "${name}".`);
  const { names, files, load } = known;
  const asked = source ?? names.at(0);
  if (asked === undefined) throw new DataError(`The task "${name}" has no data set of its own. Expected ${files}.`);
  return { source: asked, parts: await load(asked, options) };
}
