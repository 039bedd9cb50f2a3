import { basename, join, resolve } from 'node:path';
import { DataError, type Split } from '../../data/dataset.ts';
import { contexts, textParts, windows } from '../../data/text.ts';
import type { TokenDataset } from '../../data/tokens.ts';
import { ownPackage } from './own-package.ts';
import type { Loaded } from './table-data.ts';
import { readText } from './text-files.ts';

/** Before the path of a text where other data are known by path, too. */
const WORD = 'text:';
/** Bytes of a sequence; and bytes before the one to predict, where every byte is an example. */
export const WINDOW = 128;
export const CONTEXT = 32;
/** Texts that come with the package: files of its folder `texts`, which says where they are from. */
const TEXTS = { 'moby-dick': 'moby-dick.txt' } as const;
/** Names of the texts that come with the package: `text:moby-dick` is a path of one. */
export const TEXT_NAMES = Object.keys(TEXTS);

/** How a text is read: see `LoadOptions`. */
export interface TextOptions {
  readonly signal?: AbortSignal | undefined;
  readonly context?: number | undefined;
  readonly whole?: boolean | undefined;
}

/** Does a path begin with `text:`? */
export const isText = (source: string): boolean => source.startsWith(WORD);

async function partsOf(source: string, shortest: number, { signal, whole = false }: TextOptions) {
  signal?.throwIfAborted();
  const path = isText(source) ? source.slice(WORD.length) : source;
  if (Object.hasOwn(TEXTS, path)) {
    const own = ownPackage();
    if (own === undefined)
      throw new DataError(
        `The text "${path}" is a file of the package flipgrad, and this program is a bundle without it. Expected flipgrad left out of the bundle (an external dependency), or the path of a text.`,
      );
    const text = await readText(join(own.folder, 'texts', TEXTS[path as keyof typeof TEXTS]), signal);
    return { name: path, parts: textParts(path, text, shortest) };
  }
  const name = basename(resolve(path));
  const text = await readText(path, signal);
  return { name, parts: whole ? { train: text, valid: text, test: text } : textParts(name, text, shortest) };
}

/** @throws DataError for fewer bytes than `least` */
function contextOf({ context }: TextOptions, usual: number, least: number): number {
  const length = context ?? usual;
  if (Number.isInteger(length) && length >= least) return length;
  throw new DataError(`\`context\` is ${length}. Expected a whole number of ${least} or more.`);
}

/**
 * The bytes of a text that comes with the package, of a file, or of the text files of a folder, in sequences of `context` bytes (128).
 * @throws DataError for a text that is too short for three parts
 */
export async function loadTokens(source: string, options: TextOptions): Promise<Loaded<TokenDataset>> {
  const context = contextOf(options, WINDOW, 2);
  const { name, parts } = await partsOf(source, context, options);
  const [train, valid, test] = [parts.train, parts.valid, parts.test].map((part) => windows(name, part, context));
  return { parts: { train, valid, test }, context };
}

/** The same as examples: every byte as the class to tell from the `context` (32) before it. @throws DataError as `loadTokens` */
export async function loadContexts(
  source: string,
  options: TextOptions,
): Promise<{ readonly parts: Split; readonly context: number }> {
  const context = contextOf(options, CONTEXT, 1);
  const { name, parts } = await partsOf(source, context + 1, options);
  const [train, valid, test] = [parts.train, parts.valid, parts.test].map((part) => contexts(name, part, context));
  return { parts: { train, valid, test }, context };
}
