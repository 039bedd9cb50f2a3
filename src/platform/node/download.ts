import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../data/dataset.ts';
import type { FileCheck } from '../../data/mnist.ts';
import { claimPart } from './claim.ts';
import { makeFolders } from './make-folders.ts';
import { readIfThere, readPlainFile } from './plain-file.ts';
import {
  type DownloadProgress,
  notesPath,
  partSize,
  removePart,
  StallError,
  TooLongError,
  type TransferOptions,
  transfer,
} from './transfer.ts';
import { verify } from './verify.ts';

/** A file to have, and where to get it. */
export interface FetchFileOptions {
  /** Base addresses that end in a slash, in the order to try. */
  mirrors: readonly string[];
  /** The file's name at the mirrors and in the folder. */
  file: string;
  /** Where it is kept; made when it does not exist. */
  folder: string;
  check: FileCheck;
  /** Bytes of its contents, decompressed: nothing beyond is read, or taken from a mirror. */
  size: number;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** A mirror that sends nothing for so long is given up; 30,000 when left out. */
  stallMilliseconds?: number | undefined;
}

/** A file that passed its check. */
export interface FetchedFile {
  path: string;
  /** Decompressed. */
  contents: Uint8Array;
}

/** No mirror gave the file: the message lists each and what went wrong, and says how to place the file by hand. */
export class DownloadError extends Error {
  override name = 'DownloadError';
}

const STALL_MILLISECONDS = 30_000;
const ATTEMPTS_PER_MIRROR = 5;

/** The reason of an error, in our words or else the innermost one: fetch hides it as a cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof DataError) return error.message.replace(/\.$/, '');
  if (error.cause instanceof AggregateError && error.cause.errors.length > 0) return reason(error.cause.errors[0]);
  return error.cause instanceof Error ? reason(error.cause) : error.message.replace(/\.$/, '');
}

/** The most bytes of a file with such contents: compression makes nothing longer than this, at any level. */
const mostBytes = (size: number): number => size + Math.ceil(size / 1000) + 1024;

/**
 * The contents of the file in the folder, if it is there and passes; a damaged one is set aside as `file`.corrupted.
 * @returns the contents, or why there are none
 */
async function fromFolder(
  path: string,
  { check, size }: FetchFileOptions,
): Promise<{ contents: Uint8Array } | { problem: string }> {
  const bytes = await readIfThere(path, mostBytes(size));
  if (!bytes) return { problem: 'is not there' };
  try {
    return { contents: await verify(bytes, check, size, path) };
  } catch (error) {
    const aside = `${path}.corrupted`;
    await rename(path, aside).catch((cause) => {
      throw new DataError(`${path} is damaged and cannot be set aside (${reason(cause)}): ${reason(error)}.`, {
        cause,
      });
    });
    return { problem: `was damaged and is now ${aside} (${reason(error)})` };
  }
}

/** Downloads until the part is whole; breaks that made progress are mended from the same mirror. */
async function transferWhole(options: TransferOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const before = await partSize(options.part);
    try {
      return await transfer(options);
    } catch (error) {
      const progressed = (await partSize(options.part)) > before;
      const hopeless =
        options.signal?.aborted || error instanceof StallError || error instanceof TooLongError || !progressed;
      if (hopeless || attempt === ATTEMPTS_PER_MIRROR) throw error;
    }
  }
}

/** Downloads the file from one mirror, checks it, and moves it to its place. */
async function fromMirror(url: string, path: string, part: string, options: FetchFileOptions): Promise<Uint8Array> {
  const { file, check, size, onProgress, signal, stallMilliseconds = STALL_MILLISECONDS } = options;
  for (;;) {
    const hadPart = (await partSize(part)) > 0;
    await transferWhole({ file, url, part, most: mostBytes(size), stallMilliseconds, onProgress, signal });
    try {
      const contents = await verify(await readPlainFile(part, mostBytes(size)), check, size, `what ${url} sent`);
      await rename(part, path);
      await rm(notesPath(part), { force: true });
      return contents;
    } catch (error) {
      await removePart(part);
      if (!hadPart) throw error;
    }
  }
}

/** The final message: what was tried, and what to do without a network. */
function failure(path: string, problem: string, failures: readonly string[], { file, folder }: FetchFileOptions) {
  const tried =
    failures.length > 0 ? `No mirror gave it:\n${failures.join('\n')}` : 'There is no mirror to get it from.';
  return new DownloadError(
    `${path} ${problem}. ${tried}\nWithout a network, put ${file} into ${folder} by hand; it is checked and used from there.`,
  );
}

/**
 * Has a file in a folder: uses the one that is there when it passes its check, else downloads it. Mirrors are tried in
 * order; a broken download is resumed; a file that does not pass is removed. Only a checked, whole file ever stands under
 * the final name, moved there in one step.
 * @throws DownloadError when no mirror gave the file; the signal's reason when aborted (what came stays in `file`.part)
 */
export async function fetchFile(options: FetchFileOptions): Promise<FetchedFile> {
  const { mirrors, file, folder, signal } = options;
  signal?.throwIfAborted();
  const path = join(folder, file);
  const found = await fromFolder(path, options);
  if ('contents' in found) return { path, contents: found.contents };
  if (mirrors.length === 0) throw failure(path, found.problem, [], options);
  makeFolders(folder);
  const claim = await claimPart(path);
  const failures: string[] = [];
  try {
    for (const mirror of mirrors) {
      const url = new URL(file, mirror).href;
      try {
        return { path, contents: await fromMirror(url, path, claim.part, options) };
      } catch (error) {
        signal?.throwIfAborted();
        failures.push(`  ${url}: ${reason(error)}`);
      }
    }
  } finally {
    await claim.release();
  }
  throw failure(path, found.problem, failures, options);
}
