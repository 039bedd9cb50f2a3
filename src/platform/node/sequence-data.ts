import { basename } from 'node:path';
import { DataError } from '../../data/dataset.ts';
import { threeParts } from '../../data/parts.ts';
import { penStrings } from '../../data/pen-strings.ts';
import { joinSequences, type LabelledSequence, type SequenceDataset } from '../../data/sequences.ts';
import { asObject, decodeText, parseJson, shorten } from '../../io/json.ts';
import { USUAL_SEED } from '../../random/stream.ts';
import type { Parts } from '../../tasks/task.ts';
import { watchLines } from './csv.ts';
import { readDataFile } from './data-file.ts';
import type { LoadOptions } from './data-folder.ts';

/** Strings that a pen writes: to train with, and each of the others; writers are others too. */
const WRITTEN = { train: 1000, others: 200, writers: 50 };

/** Strings of digits by the seed. */
function written(seed: number): Parts<SequenceDataset> {
  const { train, others, writers } = WRITTEN;
  const part = (number: number, count: number) =>
    penStrings({ seed, count, first: number * train, writers, firstWriter: number * writers });
  return { train: part(0, train), valid: part(1, others), test: part(2, others) };
}

/** A point of a sequence: numbers, as many as in the first. */
function pointsOf(value: unknown, width: number | undefined, where: string): number[][] {
  const rows = Array.isArray(value) ? value : undefined;
  const wide = width ?? (Array.isArray(rows?.[0]) ? rows[0].length : 0);
  const fits = rows?.every((row) => Array.isArray(row) && row.length === wide && row.every(Number.isFinite));
  if (!rows || !fits || wide === 0 || rows.length === 0)
    throw new DataError(
      `\`features\` of ${where} is ${shorten(value)}. Expected a list of points, each of ${width ?? 'as many'} numbers.`,
    );
  return rows;
}

/** Sequences of a file of JSON lines: {"features": [[1, 2], …], "labels": [0, 3]}. @throws DataError with the line */
export function readSequences(bytes: Uint8Array, name: string): SequenceDataset {
  let width: number | undefined;
  let classes = 1;
  const sequences: LabelledSequence[] = [];
  for (const [i, line] of decodeText(bytes, name).split('\n').entries()) {
    if (line.trim() === '') continue;
    const where = `line ${i + 1} of ${name}`;
    const { features, labels = [] } = asObject(parseJson(line, where), where);
    const points = pointsOf(features, width, where);
    width ??= points[0].length;
    if (!Array.isArray(labels) || !labels.every((label) => Number.isInteger(label) && label >= 0 && label < 255))
      throw new DataError(
        `\`labels\` of ${where} is ${shorten(labels)}. Expected a list of whole numbers from 0 to 254.`,
      );
    classes = labels.reduce((most: number, label: number) => Math.max(most, label + 1), classes);
    sequences.push({ features: points.flat(), labels });
  }
  if (width === undefined) throw new DataError(`${name} holds no sequence. Expected a JSON object a line.`);
  return joinSequences({ name, width, classes }, sequences);
}

/** The sequences at some places. */
export function chooseSequences(data: SequenceDataset, indices: ArrayLike<number>): SequenceDataset {
  const { name, width, classes, features, offsets, labels, labelOffsets } = data;
  const chosen = Array.from(indices, (i) => ({
    features: features.subarray(offsets[i] * width, offsets[i + 1] * width),
    labels: labels.subarray(labelOffsets[i], labelOffsets[i + 1]),
  }));
  return joinSequences({ name, width, classes }, chosen);
}

/** Strings that a pen writes, or those of a file of JSON lines. @throws DataError when there is none, or a line is damaged */
export async function loadSequences(
  source: string,
  { seed = USUAL_SEED, signal, whole = false }: LoadOptions,
): Promise<Parts<SequenceDataset>> {
  signal?.throwIfAborted();
  if (source === 'pen-strings') return written(seed);
  const all = readSequences(await readDataFile(source, watchLines(source)), basename(source));
  if (whole) return { train: all, valid: all, test: all };
  const { train, valid, test } = threeParts(all.name, all.count, seed);
  return {
    train: chooseSequences(all, train),
    valid: chooseSequences(all, valid),
    test: chooseSequences(all, test),
  };
}
