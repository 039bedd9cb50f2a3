import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { DataError, type Dataset, type Split, slice, splitPlaces, subset } from '../../data/dataset.ts';
import { digitsSplit } from '../../data/digits.ts';
import { checkIdx, type IdxTensor, idxDataset, parseIdx } from '../../data/idx.ts';
import {
  PUBLISHED_DATASETS,
  type PublishedDataset,
  type PublishedFile,
  type PublishedName,
  VALIDATION_COUNT,
} from '../../data/mnist.ts';
import type { TableReading } from '../../data/table-reading.ts';
import { USUAL_SEED } from '../../random/stream.ts';
import { checkNames, type NamesOf } from '../../schema/names.ts';
import { readDataFile } from './data-file.ts';
import { fetchFile } from './download.ts';
import type { FolderFile } from './folder-files.ts';
import { readPlainFile } from './plain-file.ts';
import {
  type Loaded,
  loadTables,
  refuseFolder,
  type TableLoadOptions,
  tableOptionNames,
  tablesAt,
} from './table-data.ts';
import { isText, loadContexts } from './text-data.ts';
import type { DownloadProgress } from './transfer.ts';
import { verify } from './verify.ts';

/** How a data set is found and read. */
export interface LoadOptions {
  /** Where data sets are kept; when left out the environment's FLIPGRAD_DATA, else ~/.cache/flipgrad. */
  dataDir?: string | undefined;
  /** Called with the progress of downloads. */
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Base addresses to download from instead of the published ones. */
  mirrors?: readonly string[] | undefined;
  /** Writes the digits, and draws the validation and test parts of files of one's own; 1 when left out, as on the command line. */
  seed?: number | undefined;
  /** Bytes of a text that are read at once: the length of a sequence (128), or of the context before the predicted byte (32). */
  context?: number | undefined;
  /** How CSV files are read and encoded. */
  table?: TableLoadOptions | undefined;
  /** Of the data that a network was trained on: CSV files are read in the same way. */
  reading?: TableReading | undefined;
  /** Of one file: every part is all of it, for measuring; default false. */
  whole?: boolean | undefined;
}

const NAMES: NamesOf<LoadOptions> = {
  dataDir: true,
  onProgress: true,
  signal: true,
  mirrors: true,
  seed: true,
  context: true,
  table: true,
  reading: true,
  whole: true,
};

/** @throws RangeError for an option that is not known */
export function checkLoadOptions(what: string, options: LoadOptions): void {
  checkNames(what, options, NAMES);
  if (options.table) checkNames('`table`', options.table, tableOptionNames, what);
}

/** The names that `loadDataset` knows. */
export const DATASET_NAMES = ['digits', 'mnist', 'fashion-mnist'] as const;

/** The folder that holds the data sets, by the options or the environment. */
export function dataFolder(options: LoadOptions = {}): string {
  return options.dataDir || process.env.FLIPGRAD_DATA || join(homedir(), '.cache', 'flipgrad');
}

/** Whether a path can be read. */
async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** One published file as a tensor: from the folder, compressed or not, else from a mirror. */
async function loadPublished(
  { file, check, size }: PublishedFile,
  folder: string,
  mirrors: readonly string[],
  { onProgress, signal }: LoadOptions,
): Promise<IdxTensor> {
  signal?.throwIfAborted();
  const plain = join(folder, file.replace(/\.gz$/, ''));
  const usePlain = 'sha256OfContents' in check && !(await exists(join(folder, file))) && (await exists(plain));
  if (usePlain) return parseIdx(await verify(await readPlainFile(plain, size), check, size, plain), plain);
  const { path, contents } = await fetchFile({ mirrors, file, folder, check, size, onProgress, signal });
  return parseIdx(contents, path);
}

/** MNIST or Fashion-MNIST: 50,000 examples, the last 10,000 of the training file, and the 10,000 of the test file. */
async function loadPublishedDataset(name: PublishedName, options: LoadOptions): Promise<Split> {
  const { files, mirrors, classes }: PublishedDataset = PUBLISHED_DATASETS[name];
  const load = (file: PublishedFile) =>
    loadPublished(file, join(dataFolder(options), name), options.mirrors ?? mirrors, options);
  const trainLabels = await load(files.trainLabels);
  const testLabels = await load(files.testLabels);
  const testImages = await load(files.testImages);
  const all = idxDataset(name, await load(files.trainImages), trainLabels, classes.length);
  const train = slice(all, 0, all.count - VALIDATION_COUNT);
  const valid = slice(all, train.count, all.count);
  return { train, valid, test: idxDataset(name, testImages, testLabels, classes.length) };
}

/** Draws the parts that have no file of their own. */
function splitOwn(all: Dataset, test: Dataset | undefined, seed: number): Split {
  const { train, valid, test: held } = splitPlaces(all.name, all.count, seed, { testApart: test !== undefined });
  return { train: subset(all, train), valid: subset(all, valid), test: test ?? subset(all, held) };
}

/** The data set of a folder of IDX files, named as MNIST's are. */
async function loadIdxFolder(folder: string, files: readonly FolderFile[], options: LoadOptions): Promise<Split> {
  const tensor = async (pattern: RegExp): Promise<IdxTensor | undefined> => {
    // The first by name when several fit.
    const path = files.find(({ name }) => pattern.test(name))?.path;
    if (path === undefined) return undefined;
    options.signal?.throwIfAborted();
    const contents = await readDataFile(path, (piece, at, length) => {
      if (at === 0) checkIdx(piece, length, path);
    });
    return parseIdx(contents, path);
  };
  const images = await tensor(/^train-images([-.]idx\d-ubyte)?(\.gz)?$/);
  const labels = await tensor(/^train-labels([-.]idx\d-ubyte)?(\.gz)?$/);
  const testImages = await tensor(/^(t10k|test)-images([-.]idx\d-ubyte)?(\.gz)?$/);
  const testLabels = await tensor(/^(t10k|test)-labels([-.]idx\d-ubyte)?(\.gz)?$/);
  if (!images || !labels)
    return refuseFolder(folder, files, {
      lacks: 'no data set',
      expected: 'train-images-idx3-ubyte and train-labels-idx1-ubyte (with or without .gz), or train.csv',
    });
  if (!testImages !== !testLabels)
    throw new DataError(`${folder} holds test ${testImages ? 'images without labels' : 'labels without images'}.`);
  const name = basename(folder);
  const classes = [labels, testLabels].reduce(
    (most, t) => t?.data.reduce((m, l) => Math.max(m, l + 1), most) ?? most,
    1,
  );
  const all = idxDataset(name, images, labels, classes);
  const test = testImages && testLabels && idxDataset(name, testImages, testLabels, classes);
  if (test && test.width !== all.width)
    throw new DataError(
      `${folder} holds training examples of ${all.width} features and test examples of ${test.width}.`,
    );
  return splitOwn(all, test, options.seed ?? USUAL_SEED);
}

/** The data set of a folder or a CSV file of one's own. */
async function loadPath(path: string, options: LoadOptions): Promise<Loaded<Dataset>> {
  const expected = `${DATASET_NAMES.join(', ')}, a folder of IDX files, a CSV file, or text:PATH of a text`;
  const { tables, files } = await tablesAt(path, expected);
  if (tables) return loadTables(tables, basename(path), 'classes', options) as Promise<Loaded<Dataset>>;
  return { parts: await loadIdxFolder(path, files, options) };
}

/**
 * A data set by name or path, in three parts.
 * - `digits`: written by the seed; 10,000, 2,000 and 2,000 examples.
 * - `mnist`, `fashion-mnist`: 50,000, 10,000 (the last of the training file) and 10,000 examples. Files in the data folder
 *   are checked and used; those that are missing are downloaded there once.
 * - a folder of IDX files (train-images…, train-labels…, and t10k- or test-images…, labels…), or of train.csv and test.csv,
 *   or one CSV file; each may be gzipped.
 * - `text:PATH`: a text file, or the text files of a folder (`text:moby-dick`: one that comes with the package): each byte as the class to tell from the 32 before it; the last 5% are for test,
 *   the 5% before for validation.
 *
 * Of files of one's own but texts a tenth is drawn for validation, and a tenth for test where there is no test file.
 * @throws DataError when there is no such data set or it is damaged; DownloadError; the signal's reason when aborted
 */
export async function loadDataset(name: string, options: LoadOptions = {}): Promise<Split> {
  checkLoadOptions('loadDataset', options);
  return (await classesAt(name, options)).parts;
}

/** A data set as `loadDataset` gives it, with what was understood of a table. @throws what `loadDataset` throws */
export async function loadClasses(
  name: string,
  options: LoadOptions = {},
): Promise<Omit<Loaded<Dataset>, 'parts'> & { readonly parts: Split }> {
  checkLoadOptions('loadClasses', options);
  return classesAt(name, options);
}

/** The same with options that have been checked. */
export async function classesAt(
  name: string,
  options: LoadOptions,
): Promise<Omit<Loaded<Dataset>, 'parts'> & { readonly parts: Split }> {
  options.signal?.throwIfAborted();
  if (name === 'digits') return { parts: digitsSplit({ seed: options.seed ?? USUAL_SEED }) };
  if (name === 'mnist' || name === 'fashion-mnist') return { parts: await loadPublishedDataset(name, options) };
  if (isText(name)) return loadContexts(name, options);
  return loadPath(name, options);
}
