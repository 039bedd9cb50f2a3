import { sha256 } from '../math/sha256.ts';
import { DataError } from './dataset.ts';

/** Labelled sequences in memory: rows of features, points in time, and a string of labels for each sequence. */
export interface SequenceDataset {
  readonly name: string;
  readonly count: number;
  /** Features of one point in time. */
  readonly width: number;
  /** Points × width, row-major, sequence after sequence. */
  readonly features: Float32Array;
  /** count + 1 numbers: the points of sequence i are offsets[i] up to, not including, offsets[i + 1]. */
  readonly offsets: Uint32Array;
  /** All labels, each less than `classes`. */
  readonly labels: Uint8Array;
  /** count + 1 numbers: the labels of sequence i are labels[labelOffsets[i]] up to, not including, labels[labelOffsets[i + 1]]. */
  readonly labelOffsets: Uint32Array;
  readonly classes: number;
  /** Hexadecimal SHA-256 over the features, offsets and labels. */
  readonly checksum: string;
}

/** One sequence of a data set to be. */
export interface LabelledSequence {
  /** Points × width. */
  readonly features: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

const MOST_CLASSES = 256;

/**
 * Joins sequences, copied.
 * @throws DataError for classes that are not from 1 to 256, features that are no whole number of points of finite numbers, or a label that is
 * no whole number below `classes`: it names the sequence
 */
export function joinSequences(
  facts: Pick<SequenceDataset, 'name' | 'width' | 'classes'>,
  sequences: readonly LabelledSequence[],
): SequenceDataset {
  checkSequences(facts, sequences);
  const offsets = offsetsOf(sequences.map(({ features }) => features.length / facts.width));
  const labelOffsets = offsetsOf(sequences.map(({ labels }) => labels.length));
  const count = sequences.length;
  const features = new Float32Array(offsets[count] * facts.width);
  const labels = new Uint8Array(labelOffsets[count]);
  sequences.forEach((sequence, i) => {
    features.set(sequence.features, offsets[i] * facts.width);
    labels.set(sequence.labels, labelOffsets[i]);
  });
  const parts = [features, offsets, labels, labelOffsets].map(({ buffer }) => new Uint8Array(buffer));
  return { ...facts, count, features, offsets, labels, labelOffsets, checksum: sha256(...parts) };
}

function checkSequences(
  { name, width, classes }: Pick<SequenceDataset, 'name' | 'width' | 'classes'>,
  sequences: readonly LabelledSequence[],
): void {
  if (!Number.isInteger(classes) || classes < 1 || classes > MOST_CLASSES)
    throw new DataError(`${name} has ${classes} classes. Expected a whole number from 1 to ${MOST_CLASSES}.`);
  if (!Number.isInteger(width) || width < 1)
    throw new DataError(`${name} has points of ${width} features. Expected a whole number of 1 or more.`);
  sequences.forEach(({ features, labels }, i) => {
    if (features.length % width !== 0)
      throw new DataError(
        `Sequence ${i} of ${name} has ${features.length} numbers. Expected a multiple of ${width}, the features of a point.`,
      );
    for (let at = 0; at < features.length; at++)
      if (!Number.isFinite(features[at]))
        throw new DataError(`Number ${at} of sequence ${i} of ${name} is ${features[at]}. Expected a finite number.`);
    for (let at = 0; at < labels.length; at++)
      if (!Number.isInteger(labels[at]) || labels[at] < 0 || labels[at] >= classes)
        throw new DataError(
          `Label ${at} of sequence ${i} of ${name} is ${labels[at]}. Expected a whole number from 0 to ${classes - 1}.`,
        );
  });
}

function offsetsOf(lengths: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    offsets[i + 1] = offsets[i] + length;
  });
  return offsets;
}
