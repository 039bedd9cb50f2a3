import { basename, resolve } from 'node:path';
import type { Split } from '../../data/dataset.ts';
import { contexts, textParts, windows } from '../../data/text.ts';
import type { TokenDataset } from '../../data/tokens.ts';
import type { Parts } from '../../tasks/task.ts';
import type { LoadOptions } from './data-folder.ts';
import { readText } from './text-files.ts';

/** Before the path of a text where other data are known by path, too. */
const WORD = 'text:';
/** Bytes of a sequence, and those that a byte is told from as an example with a class. */
const WINDOW = 128;
const CONTEXT = 32;

/** Is this the path of a text, as it says? */
export const isText = (source: string): boolean => source.startsWith(WORD);

async function partsOf(source: string, shortest: number, { signal }: LoadOptions) {
  signal?.throwIfAborted();
  const path = isText(source) ? source.slice(WORD.length) : source;
  const name = basename(resolve(path));
  return { name, parts: textParts(name, await readText(path, signal), shortest) };
}

/**
 * The bytes of a text file, or of the text files of a folder, in sequences of 128.
 * @throws DataError for a text that is too short for three parts
 */
export async function loadTokens(source: string, options: LoadOptions): Promise<Parts<TokenDataset>> {
  const { name, parts } = await partsOf(source, WINDOW, options);
  const [train, valid, test] = [parts.train, parts.valid, parts.test].map((part) => windows(name, part, WINDOW));
  return { train, valid, test };
}

/** The same as examples: every byte as the class to tell from the 32 before it. @throws DataError as `loadTokens` */
export async function loadContexts(source: string, options: LoadOptions): Promise<Split> {
  const { name, parts } = await partsOf(source, CONTEXT + 1, options);
  const [train, valid, test] = [parts.train, parts.valid, parts.test].map((part) => contexts(name, part, CONTEXT));
  return { train, valid, test };
}
