import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../../data/dataset.ts';
import type { FileCheck } from '../../data/mnist.ts';

const gunzipAsync = promisify(gunzip);

/** No data file may grow beyond this when decompressed, in bytes: a small file can claim to be an endless one. */
const MAXIMUM_CONTENTS = 2 ** 30;

/**
 * The contents of a file: decompressed when it begins as gzip does, else as it is.
 * @param where what the bytes are, for messages
 * @throws DataError when the gzip is damaged or holds more than 1 GiB
 */
export async function decompress(bytes: Uint8Array, where: string): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await gunzipAsync(bytes, { maxOutputLength: MAXIMUM_CONTENTS });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${where} is not whole gzip data (${reason}); a fresh copy would do.`, { cause: error });
  }
}

/**
 * Compares a file with its checksum.
 * @returns the file's contents, decompressed
 * @throws DataError when it is another file
 */
export async function verify(bytes: Uint8Array, check: FileCheck, where: string): Promise<Uint8Array> {
  const compare = (algorithm: string, data: Uint8Array, expected: string): void => {
    const found = createHash(algorithm).update(data).digest('hex');
    if (found !== expected)
      throw new DataError(`${where} has the ${algorithm} ${found}, but ${expected} was expected.`);
  };
  if ('md5OfFile' in check) compare('md5', bytes, check.md5OfFile);
  const contents = await decompress(bytes, where);
  if ('sha256OfContents' in check) compare('sha256', contents, check.sha256OfContents);
  return contents;
}
