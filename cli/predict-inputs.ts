import {
  type DataKind,
  fitPicture,
  joinSequences,
  makeDataset,
  makeTargets,
  makeTokens,
  type RunRecord,
  type SequenceDataset,
  type TaskData,
} from '../src/index.ts';
import { readDataFile, readNumbers, readPng, readSequences, watchLines } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';

/** Examples of one file without what is to be told of them, and what was done to make them. */
export interface Inputs {
  readonly data: TaskData;
  readonly done: readonly string[];
}

/** Rows of numbers, as the network takes them. */
interface Rows {
  readonly rows: readonly Float32Array[];
  readonly done: readonly string[];
}

const PNG = [137, 80, 78, 71];
/** The end of a text that is read: what stands before it says little of the next byte. */
const LONGEST = 4096;

/** How the files of each kind of data become examples. */
const readers: { readonly [K in DataKind]: (file: string, record: RunRecord) => Promise<Inputs> } = {
  async classes(file, record) {
    const { rows, done } = await rowsOf(file, record);
    const { width, classes = 1 } = record.data;
    const labels = new Uint8Array(rows.length);
    return { data: makeDataset({ name: file, features: joined(rows, width), scale: 1, labels, width, classes }), done };
  },
  async targets(file, record) {
    const { rows, done } = await rowsOf(file, record);
    const { width, outputs } = record.data;
    const targets = new Float32Array(rows.length * outputs);
    return { data: makeTargets({ name: file, features: joined(rows, width), targets, width, outputs }), done };
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

/** The examples of a file, for a run of that kind of data. */
export const inputsOf = (kind: DataKind, file: string, record: RunRecord): Promise<Inputs> =>
  readers[kind](file, record);

function joined(rows: readonly Float32Array[], width: number): Float32Array {
  const all = new Float32Array(rows.length * width);
  rows.forEach((row, r) => {
    all.set(row, r * width);
  });
  return all;
}

async function rowsOf(file: string, record: RunRecord): Promise<Rows> {
  const isPicture = (bytes: Uint8Array): boolean => PNG.every((byte, i) => bytes[i] === byte);
  const watch = watchLines(file);
  let picture = false;
  const bytes = await readDataFile(file, (piece, at, length) => {
    if (at === 0) picture = isPicture(piece);
    if (!picture) watch(piece, at, length);
  });
  return isPicture(bytes) ? fromPicture(bytes, file, record) : fromTable(bytes, file, record);
}

function fromPicture(bytes: Uint8Array, file: string, { data }: RunRecord): Rows {
  const side = Math.sqrt(data.width);
  const shape = data.image ?? (Number.isInteger(side) ? { width: side, height: side } : undefined);
  if (!shape)
    throw new UsageError(
      `${file} is a picture, and the run takes ${data.width} numbers, which are none; a CSV file would do.`,
    );
  const { pixels, done } = fitPicture(readPng(bytes, file), shape);
  return { rows: [Float32Array.from(pixels, (byte) => byte / 255)], done };
}

function fromTable(bytes: Uint8Array, file: string, { data }: RunRecord): Rows {
  const { values, width, labelled, largest } = readNumbers(bytes, file, data.width);
  const done = labelled === undefined ? [] : [`column ${labelled + 1} left out: the label`];
  const { scale: own = 1 } = data;
  // The run's own pixels are bytes; a file with fractions up to 1 is scaled already.
  const scaled = own !== 1 && largest <= 1;
  if (scaled) done.push('taken as scaled already: no number is over 1');
  const scale = scaled ? 1 : own;
  const rows = Array.from({ length: values.length / width }, (_, r) =>
    values.slice(r * width, (r + 1) * width).map((value) => value * scale),
  );
  return { rows, done };
}
