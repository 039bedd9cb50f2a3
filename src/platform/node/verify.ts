import { createHash } from 'node:crypto';
import { DataError } from '../../data/dataset.ts';
import type { FileCheck } from '../../data/mnist.ts';
import { gunzipAtMost, isGzip } from './inflate.ts';

/**
 * Compares a file with its checksum.
 * @param size of the right contents, in bytes
 * @returns the file's contents, decompressed
 * @throws DataError when it is another file
 */
export async function verify(bytes: Uint8Array, check: FileCheck, size: number, where: string): Promise<Uint8Array> {
  const compare = (algorithm: string, data: Uint8Array, expected: string): void => {
    const found = createHash(algorithm).update(data).digest('hex');
    if (found !== expected)
      throw new DataError(`${where} has the ${algorithm} ${found}, but ${expected} was expected.`);
  };
  if ('md5OfFile' in check) compare('md5', bytes, check.md5OfFile);
  const contents = isGzip(bytes) ? await decompress(bytes, size, where) : bytes;
  if ('sha256OfContents' in check) compare('sha256', contents, check.sha256OfContents);
  return contents;
}

async function decompress(bytes: Uint8Array, size: number, where: string): Promise<Uint8Array> {
  try {
    return await gunzipAtMost(bytes, size);
  } catch (error) {
    throw new DataError(`${where} ${(error as Error).message}. Expected gzip data of ${size} bytes.`, { cause: error });
  }
}
