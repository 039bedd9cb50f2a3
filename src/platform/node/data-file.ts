import { DataError } from '../../data/dataset.ts';
import { gunzipAtMost, InflateError, isGzip } from './inflate.ts';
import { readPlainFile, type See } from './plain-file.ts';

/** A data file, and what it holds once decompressed, in bytes. */
const MOST = 2 ** 30;
/** What a small file may hold, and what a larger one may, as a multiple of its size: tables rarely compress by more than 50. */
const SMALL = 2 ** 26;
const MOST_RATIO = 100;

/**
 * The contents of a data file, decompressed when it begins as gzip does.
 * @throws DataError when the gzip is damaged, or holds more than 64 MiB and 100 times its size, or 1 GiB; what `watch` throws, as soon as
 * contents cannot be right, where they are not compressed
 * @throws StorageError when it is no plain file, or has more than 1 GiB
 */
export async function readDataFile(path: string, watch: See): Promise<Uint8Array> {
  let packed: boolean | undefined;
  const bytes = await readPlainFile(path, MOST, (piece, at, length) => {
    packed ??= isGzip(piece);
    if (!packed) watch(piece, at, length);
  });
  if (!packed) return bytes;
  const most = Math.min(MOST, Math.max(SMALL, MOST_RATIO * bytes.length));
  try {
    return await gunzipAtMost(bytes, most);
  } catch (error) {
    if (!(error instanceof InflateError)) throw error;
    const expected = error.tooLong
      ? `at most 64 MiB, or ${MOST_RATIO} times its ${bytes.length} bytes; decompressed by hand it may hold 1 GiB`
      : 'a whole copy';
    throw new DataError(`${path} ${error.message}. Expected ${expected}.`, { cause: error });
  }
}
