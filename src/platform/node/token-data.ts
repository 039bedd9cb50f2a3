import { basename } from 'node:path';
import { DataError } from '../../data/dataset.ts';
import { makeTokens, type TokenDataset } from '../../data/tokens.ts';
import type { Parts } from '../../tasks/task.ts';
import { readDataFile } from './data-file.ts';
import type { LoadOptions } from './data-folder.ts';

/** Bytes of a text that are one sequence. */
const LENGTH = 128;
/** A token is a byte. */
const CLASSES = 256;
/** Validation and test are one part in so many. */
const PARTS = 10;

/** A text as sequences of bytes; a last one of a single byte is left out. @throws DataError for fewer than two bytes */
export function readTokens(bytes: Uint8Array, name: string): TokenDataset {
  const sequences: Uint8Array[] = [];
  for (let at = 0; at + 2 <= bytes.length; at += LENGTH) sequences.push(bytes.subarray(at, at + LENGTH));
  if (sequences.length === 0) throw new DataError(`${name} has ${bytes.length} bytes. Expected 2 or more.`);
  return makeTokens(name, CLASSES, sequences);
}

/**
 * A text file of one's own: its bytes in sequences of 128, the last tenth for test and the one before for validation.
 * @throws DataError for one that is too short for three parts
 */
export async function loadTokens(source: string, { signal }: LoadOptions): Promise<Parts<TokenDataset>> {
  signal?.throwIfAborted();
  const bytes = await readDataFile(source, () => {});
  const name = basename(source);
  const held = LENGTH * Math.max(1, Math.round(bytes.length / LENGTH / PARTS));
  const [valid, test] = [bytes.length - 2 * held, bytes.length - held];
  if (valid < LENGTH)
    throw new DataError(
      `${name} has ${bytes.length} bytes. Expected ${3 * LENGTH} or more: its parts need ${LENGTH} each.`,
    );
  return {
    train: readTokens(bytes.subarray(0, valid), name),
    valid: readTokens(bytes.subarray(valid, test), name),
    test: readTokens(bytes.subarray(test), name),
  };
}
