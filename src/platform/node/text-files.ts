import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../data/dataset.ts';
import { sha256 } from '../../math/sha256.ts';
import { checkNames, type NamesOf } from '../../schema/names.ts';
import { readDataFile } from './data-file.ts';
import { readPlainFile } from './plain-file.ts';

/** Which files of a folder are read. */
export interface TextFilesOptions {
  /** With the dot; default: all. */
  readonly extensions?: readonly string[];
  /** Larger files are left out; default 64 MiB. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
}

const NAMES: NamesOf<TextFilesOptions> = { extensions: true, most: true, signal: true };

/** A file of a text. */
export interface TextFile {
  /** Below the folder, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

const MOST = 2 ** 26;
/** Of all files together. */
const MOST_IN_ALL = 2 ** 30;
/** A file with a zero among its first bytes, this many, is no text. */
const HEAD = 2 ** 13;

/**
 * The text files below a folder by path, each content once; hidden files, links, and files that are no text are left out.
 * @throws DataError where they hold more than 1 GiB
 */
export async function textFiles(folder: string, options: TextFilesOptions = {}): Promise<TextFile[]> {
  checkNames('textFiles', options, NAMES);
  const { extensions, most = MOST, signal } = options;
  const seen = new Set<string>();
  const files: TextFile[] = [];
  let total = 0;
  for await (const path of pathsBelow(folder, '')) {
    signal?.throwIfAborted();
    if (extensions && !extensions.some((extension) => path.endsWith(extension))) continue;
    const full = join(folder, path);
    const { size } = await lstat(full);
    if (size === 0 || size > most) continue;
    const bytes = await readPlainFile(full, most);
    if (bytes.subarray(0, HEAD).includes(0)) continue;
    const sum = sha256(bytes);
    if (seen.has(sum)) continue;
    seen.add(sum);
    total += bytes.length;
    if (total > MOST_IN_ALL) throw new DataError(`${folder} holds more than 1 GiB of text. Expected a part of it.`);
    files.push({ path, bytes });
  }
  return files;
}

/** Plain files below a folder, ordered by the code units of their names, folder by folder. */
async function* pathsBelow(root: string, folder: string): AsyncGenerator<string, void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* pathsBelow(root, path);
    else if (entry.isFile()) yield path;
  }
}

/** Files behind one another, with a newline between. */
export function joined(files: readonly TextFile[]): Uint8Array {
  const text = new Uint8Array(files.reduce((sum, { bytes }) => sum + bytes.length + 1, 0));
  let at = 0;
  for (const { bytes } of files) {
    text.set(bytes, at);
    at += bytes.length;
    text[at++] = 0x0a;
  }
  return text;
}

/**
 * The text of a file, or of the text files of a folder.
 * @throws DataError where there is none
 */
export async function readText(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const facts = await lstat(path).catch(() => undefined);
  if (!facts) throw new DataError(`There is no ${path}. Expected a text file, or a folder of text files.`);
  if (!facts.isDirectory()) return readDataFile(path, () => {});
  const files = await textFiles(path, { signal });
  if (files.length === 0) throw new DataError(`${path} holds no text file. Expected one or more.`);
  return joined(files);
}
