import {
  contexts,
  DataError,
  type DataKind,
  type FittedPicture,
  fitPicture,
  inputsOfPixels,
  joinSequences,
  labelledRows,
  lastContext,
  makeDataset,
  makeTargets,
  makeTokens,
  type Picture,
  type RawTable,
  type RunRecord,
  type SequenceDataset,
  type TableReading,
  type TaskData,
  targetRows,
} from '../src/index.ts';
import { isText, readDataFile, readPng, readSequences, readTable, watchLines } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';

/** Examples of one file without what is to be told of them, and what was done to make them. */
export interface Inputs {
  readonly data: TaskData;
  readonly done: readonly string[];
}

const PNG = [137, 80, 78, 71];
/** The end of a text that is read: what stands before it says little of the next byte. */
const LONGEST = 4096;

/** The byte after the end of a text, as an example: one more stands for the one that is asked for. */
async function contextOf(file: string, { data: { width } }: RunRecord): Promise<Inputs> {
  const bytes = await readDataFile(file, () => {});
  if (bytes.length === 0) throw new UsageError(`${file} is empty. Expected a text.`);
  return { data: contexts(file, Uint8Array.of(...lastContext(bytes, width), 0), width), done: [] };
}

/** How the files of each kind of data become examples. */
const readers: { readonly [K in DataKind]: (file: string, record: RunRecord) => Promise<Inputs> } = {
  async classes(file, record) {
    if (isText(record.data.source)) return contextOf(file, record);
    const { width, classes = 1 } = record.data;
    const { table, picture, done } = await readRows(file, record);
    if (table) return { data: labelledRows(file, table, readingIn(record), { classes }), done };
    return {
      data: makeDataset({ name: file, features: picture, scale: 1, labels: new Uint8Array(1), width, classes }),
      done,
    };
  },
  async targets(file, record) {
    const { width, outputs } = record.data;
    const { table, picture, done } = await readRows(file, record);
    if (table) return { data: targetRows(file, table, readingIn(record)), done };
    const targets = new Float32Array(outputs);
    const { targetCenter: center, targetSpread: spread } = record.data.table ?? {};
    const units = center && spread && { center, spread };
    return { data: makeTargets({ name: file, features: picture, targets, width, outputs, units }), done };
  },
  async sequences(file, { data: { width, classes = 1 } }) {
    const data: SequenceDataset = readSequences(await readDataFile(file, watchLines(file)), file);
    if (data.width !== width)
      throw new UsageError(`The points of ${file} have ${data.width} numbers. Expected ${width}.`);
    const sequences = Array.from({ length: data.count }, (_, i) => ({
      features: data.features.subarray(data.offsets[i] * width, data.offsets[i + 1] * width),
      labels: [],
    }));
    return { data: joinSequences({ name: file, width, classes }, sequences), done: [] };
  },
  async tokens(file, { data: { classes = 1 } }) {
    const bytes = (await readDataFile(file, () => {})).subarray(-LONGEST);
    if (bytes.length === 0) throw new UsageError(`${file} is empty. Expected a text.`);
    // One more, which stands for the one that is asked for.
    return { data: makeTokens(file, classes, [[...bytes, 0]]), done: [] };
  },
};

/** Names of the classes, where they are words, or of the targets. */
export function namesIn({ data: { table } }: RunRecord, kind: DataKind): readonly string[] | undefined {
  if (!table) return undefined;
  return kind === 'targets' ? table.targets.map(({ name }) => name) : table.targets[0]?.classes;
}

/** The examples of a file, for a run of that kind of data. */
export const inputsOf = (kind: DataKind, file: string, record: RunRecord): Promise<Inputs> =>
  readers[kind](file, record);

/** How the run's tables are read; of a run on other data its numbers in their order. */
function readingIn({ data: { table, width, scale = 1 } }: RunRecord): TableReading {
  const columns = Array.from({ length: width }, (_, i) => ({ name: `column ${i + 2}` }));
  return table ?? { named: false, columns, targets: [{ name: 'column 1' }], missing: 'error', scale };
}

type Rows = { readonly done: readonly string[] } & (
  | { readonly table: RawTable; readonly picture?: undefined }
  | { readonly table?: undefined; readonly picture: Float32Array }
);

async function readRows(file: string, record: RunRecord): Promise<Rows> {
  const isPicture = (bytes: Uint8Array): boolean => PNG.every((byte, i) => bytes[i] === byte);
  const watch = watchLines(file);
  let picture = false;
  const bytes = await readDataFile(file, (piece, at, length) => {
    if (at === 0) picture = isPicture(piece);
    if (!picture) watch(piece, at, length);
  });
  if (isPicture(bytes)) return fromPicture(bytes, file, record);
  const table = readTable(bytes, file, 'none', {}, readingIn(record));
  if (table.dropped > 0)
    throw new UsageError(
      `${file} has ${table.dropped} rows without a value in some column, and the run was trained to drop them. Expected values.`,
    );
  return { table, done: table.notes };
}

/** @throws DataError that names the file, where there is nothing on it */
function fitted(picture: Picture, shape: { width: number; height: number }, file: string): FittedPicture {
  try {
    return fitPicture(picture, shape);
  } catch (error) {
    throw error instanceof DataError ? new DataError(`${file}: ${error.message}`) : error;
  }
}

function fromPicture(bytes: Uint8Array, file: string, { data }: RunRecord): Rows {
  const side = Math.sqrt(data.width);
  const shape = data.image ?? (Number.isInteger(side) ? { width: side, height: side } : undefined);
  if (!shape)
    throw new UsageError(
      `${file} is a picture, and the run takes ${data.width} numbers, which are none. Expected a CSV file.`,
    );
  const { pixels, done } = fitted(readPng(bytes, file), shape, file);
  return { picture: inputsOfPixels(data.table, pixels), done };
}
