import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { StorageError } from '../../runs/folder.ts';
import { codeOf } from './storage-reason.ts';

/** Bytes of one read, and those that are looked at before there is room for a file. */
const PIECE = 2 ** 20;
const HEAD = 2 ** 23;
/** Where the system has it, opening a FIFO does not wait for a writer. */
const AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Is shown each piece of a file when it is read, with its place and the length of the file, and may throw. */
export type See = (piece: Uint8Array, at: number, length: number) => void;

/** What something that is no plain file is. */
export function kindOf(facts: Stats): string {
  if (facts.isDirectory()) return 'a folder';
  if (facts.isFIFO()) return 'a FIFO';
  if (facts.isSocket()) return 'a socket';
  return 'a device';
}

/** @throws StorageError unless it is a plain file: reading a FIFO blocks, and a device may never end */
export function checkPlain(facts: Stats, path: string): void {
  if (!facts.isFile()) throw new StorageError(`${path} is ${kindOf(facts)}. Expected a file.`);
}

/**
 * The contents of a file that the user names; it may be reached over links.
 * @param most bytes; a sparse file counts by its length
 * @throws StorageError when it is larger or no plain file; the system's error where it cannot be read
 */
export async function readPlainFile(path: string, most: number, see?: See): Promise<Uint8Array> {
  // Looked at first: merely opening some devices does something.
  checkPlain(await stat(path), path);
  const file = await open(path, AT_ONCE);
  try {
    checkPlain(await file.stat(), path);
    return await readOpened(file, path, most, see);
  } finally {
    await file.close();
  }
}

/** As `readPlainFile`; undefined where there is none. */
export async function readIfThere(path: string, most: number): Promise<Uint8Array | undefined> {
  return readPlainFile(path, most).catch((error) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
}

/** The contents of an open file; what it gains meanwhile is left out. @throws StorageError when it has more than `most` bytes */
export async function readOpened(file: FileHandle, path: string, most: number, see?: See): Promise<Uint8Array> {
  const size = await sizeAtMost(file, path, most);
  // What cannot be right is refused by its beginning, before there is room for all of it.
  const head = await fill(file, new Uint8Array(Math.min(HEAD, size)), 0, size, see);
  if (head.length < HEAD) return head;
  const bytes = allocated(size, path);
  bytes.set(head);
  return fill(file, bytes, head.length, size, see);
}

/** Reads into an array from a place on; a file that has become shorter gives less. */
async function fill(file: FileHandle, bytes: Uint8Array, from: number, size: number, see?: See): Promise<Uint8Array> {
  for (let at = from; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, bytes.length - at), at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    see?.(bytes.subarray(at, at + bytesRead), at, size);
    at += bytesRead;
  }
  return bytes;
}

function allocated(size: number, path: string): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (error) {
    throw new StorageError(`${path} has ${size} bytes, for which there is no memory.`, { cause: error });
  }
}

/** The size of an open file in bytes. @throws StorageError when it is more than `most` */
export async function sizeAtMost(file: FileHandle, path: string, most: number): Promise<number> {
  const { size } = await file.stat();
  if (size > most) throw new StorageError(`${path} has ${size} bytes; ${most} is the most that can be read.`);
  return size;
}
