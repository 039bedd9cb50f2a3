import { sha256 } from '../math/sha256.ts';
import { randomStream } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';

/** Data that cannot be used: the message says what was given, where, and what was expected. */
export class DataError extends Error {
  override name = 'DataError';
}

/** Width and height in pixels of the picture that an example's features are, row by row from the top left. */
export interface ImageShape {
  width: number;
  height: number;
}

/** Labelled examples in memory. */
export interface Dataset {
  name: string;
  /** count × width, row-major, or overlapping rows: see `stride`. */
  features: Uint8Array | Float32Array;
  /** Numbers from the first feature of an example to that of the next; default `width`. Less: examples overlap, as contexts of a text do. */
  stride?: number;
  /** Multiply a stored feature by this to get the network's input; 1/255 for pixel bytes. */
  scale: number;
  /** count labels, each less than `classes`. */
  labels: Uint8Array;
  count: number;
  /** Features of one example. */
  width: number;
  /** From 1 to 256. */
  classes: number;
  image?: ImageShape;
  /** Hexadecimal SHA-256 over the bytes of the features, then of the labels. Computed when first read. */
  readonly checksum: string;
}

/** The three parts of an experiment's data. */
export interface Split {
  train: Dataset;
  valid: Dataset;
  test: Dataset;
}

/** What `makeDataset` needs; `count` and the checksum follow from it. */
export interface DatasetFacts {
  name: string;
  features: Uint8Array | Float32Array;
  scale: number;
  labels: Uint8Array;
  width: number;
  classes: number;
  image?: ImageShape;
  stride?: number;
}

/** What a data set has besides is computed anew. */
const NAMES: NamesOf<DatasetFacts & Dataset> = {
  name: true,
  features: true,
  scale: true,
  labels: true,
  width: true,
  classes: true,
  image: true,
  stride: true,
  count: true,
  checksum: true,
};
const MAXIMUM_CLASSES = 256;

/** The stream that splitOff shuffles with: the word "data" in ASCII. */
const SPLIT_STREAM = 0x64617461;

/** The bytes of an array, not copied. */
function bytesOf(array: Uint8Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * A Dataset from its facts; the arrays are kept, not copied.
 * @throws DataError when there is no example, sizes disagree, or a label is not less than `classes`
 */
export function makeDataset(facts: DatasetFacts): Dataset {
  checkNames('makeDataset', facts, NAMES);
  const { name, features, labels, width, classes, image, scale } = facts;
  if (!Number.isFinite(scale)) throw new DataError(`${name} has the scale ${scale}. Expected a number, such as 1.`);
  const count = labels.length;
  if (count === 0) throw new DataError(`${name} holds no examples; a data set needs at least one.`);
  if (!Number.isInteger(width) || width < 1)
    throw new DataError(`${name} has examples of ${width} features; it must be a whole number of 1 or more.`);
  const stride = facts.stride ?? width;
  if (!Number.isInteger(stride) || stride < 1)
    throw new DataError(`${name} has a stride of ${stride}. Expected a whole number of 1 or more.`);
  const expected = (count - 1) * stride + width;
  if (features.length !== expected)
    throw new DataError(
      `${name} holds ${features.length} features and ${count} labels; with ${width} features an example` +
        `${stride === width ? '' : `, ${stride} from one to the next`}, ${expected} features belong to ${count} labels.`,
    );
  if (image && image.width * image.height !== width)
    throw new DataError(`${name} has ${width} features, which are not an image of ${image.width} by ${image.height}.`);
  checkLabels(name, labels, classes);
  let checksum: string | undefined;
  return {
    ...facts,
    count,
    get checksum() {
      return (checksum ??= sha256(bytesOf(features), labels));
    },
  };
}

/** @throws DataError when `classes` is not from 1 to 256, or a label is not less than it */
function checkLabels(name: string, labels: Uint8Array, classes: number): void {
  if (!Number.isInteger(classes) || classes < 1 || classes > MAXIMUM_CLASSES)
    throw new DataError(`${name} has ${classes} classes; it must be a whole number from 1 to ${MAXIMUM_CLASSES}.`);
  const bad = labels.findIndex((label) => label >= classes);
  if (bad >= 0)
    throw new DataError(
      `Example ${bad} of ${name} has the label ${labels[bad]}; with ${classes} classes, labels go from 0 to ${classes - 1}.`,
    );
}

/** The features of an example, not copied. */
export function featuresOf({ features, width, stride = width }: Dataset, index: number): Uint8Array | Float32Array {
  return features.subarray(index * stride, index * stride + width);
}

/** All examples as a network's input: count × width, scaled. */
export function inputsOf(dataset: Dataset): Float32Array {
  const { count, width, scale } = dataset;
  const inputs = new Float32Array(count * width);
  for (let i = 0; i < count; i++) inputs.set(featuresOf(dataset, i), i * width);
  return scale === 1 ? inputs : inputs.map((x) => x * scale);
}

/** The dataset's facts with other examples. @param stride default: they follow one another */
function withExamples(
  dataset: Dataset,
  features: Uint8Array | Float32Array,
  labels: Uint8Array,
  stride = dataset.width,
): Dataset {
  const { name, scale, width, classes, image } = dataset;
  return makeDataset({
    ...{ name, features, labels, scale, width, classes },
    ...(image && { image }),
    ...(stride !== width && { stride }),
  });
}

/**
 * The examples at the indices, copied, in that order; an index may come twice.
 * @throws DataError when there is no index, or one is not that of an example
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const { features, labels, width, count, name } = dataset;
  const chosen =
    features instanceof Uint8Array ? new Uint8Array(indices.length * width) : new Float32Array(indices.length * width);
  const chosenLabels = new Uint8Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (!Number.isInteger(index) || index < 0 || index >= count)
      throw new DataError(`There is no example ${index} in ${name}; its ${count} examples go from 0 to ${count - 1}.`);
    chosen.set(featuresOf(dataset, index), i * width);
    chosenLabels[i] = labels[index];
  }
  return withExamples(dataset, chosen, chosenLabels);
}

/**
 * The examples from `from` up to, not including, `to`. Shares the arrays of `dataset`.
 * @throws DataError unless 0 ≤ from < to ≤ count
 */
export function slice(dataset: Dataset, from: number, to: number): Dataset {
  const { features, labels, width, count, name, stride = width } = dataset;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to > count || from >= to)
    throw new DataError(
      `Examples ${from} to ${to} of ${name} were asked for; it holds ${count}, and a slice needs 0 ≤ from < to ≤ ${count}.`,
    );
  const rows = features.subarray(from * stride, (to - 1) * stride + width);
  return withExamples(dataset, rows, labels.subarray(from, to), stride);
}

/**
 * Takes `count` examples, drawn by the seed, off a dataset: for a validation part. Both parts keep the order of `dataset`.
 * @returns part: the `count` examples; rest: all others
 * @throws DataError unless 1 ≤ count < dataset.count
 */
export function splitOff(dataset: Dataset, count: number, seed: number): { rest: Dataset; part: Dataset } {
  const { part, rest } = placesOff(dataset.name, dataset.count, count, seed);
  return { part: subset(dataset, part), rest: subset(dataset, rest) };
}

/** The places of the two parts of so many examples, each in order. @throws DataError unless 1 ≤ count < all */
function placesOff(name: string, all: number, count: number, seed: number): { part: Uint32Array; rest: Uint32Array } {
  if (!Number.isInteger(count) || count < 1 || count >= all)
    throw new DataError(
      `${count} examples cannot be split off ${name}, which holds ${all}; both parts need at least one example.`,
    );
  const order = randomStream(seed, SPLIT_STREAM).shuffle(Uint32Array.from({ length: all }, (_, i) => i));
  return { part: order.slice(0, count).sort(), rest: order.slice(count).sort() };
}

/** Validation, and test where there is no test file, is one part in so many of one's own files. */
const PARTS = 10;

/**
 * The places of the parts of one's own examples, drawn by the seed: a tenth for validation, and one for test unless a file has it.
 * @throws DataError for fewer than one example a part
 */
export function splitPlaces(
  name: string,
  all: number,
  seed: number,
  { testApart }: { readonly testApart: boolean },
): { train: number[]; valid: number[]; test: number[] } {
  if (all < (testApart ? 2 : 3))
    throw new DataError(`${name} holds ${all} training examples; its parts need at least one example each.`);
  const held = Math.max(1, Math.round(all / PARTS));
  const whole = Uint32Array.from({ length: all }, (_, i) => i);
  const off = testApart ? { part: new Uint32Array(0), rest: whole } : placesOff(name, all, held, seed);
  const { part, rest } = placesOff(name, off.rest.length, held, seed);
  const at = (places: Uint32Array) => Array.from(places, (i) => off.rest[i]);
  return { train: at(rest), valid: at(part), test: [...off.part] };
}
