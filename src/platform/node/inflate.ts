import { promisify } from 'node:util';
import { gunzip, inflateSync } from 'node:zlib';

/** Compressed data that are damaged, or hold more than they may. */
export class InflateError extends Error {
  override name = 'InflateError';
  /** Do they hold more than they may? */
  readonly tooLong: boolean;

  constructor(message: string, options: { tooLong: boolean; cause: unknown }) {
    super(message, { cause: options.cause });
    this.tooLong = options.tooLong;
  }
}

const gunzipAsync = promisify(gunzip);

/** Does gzip data begin so? */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Decompresses gzip; nothing beyond `most` bytes is ever made. @throws InflateError */
export async function gunzipAtMost(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  return gunzipAsync(bytes, { maxOutputLength: most }).catch((error) => {
    throw failure(error, most);
  });
}

/** Decompresses zlib data, as `gunzipAtMost`. @throws InflateError */
export function inflateAtMost(bytes: Uint8Array, most: number): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: most });
  } catch (error) {
    throw failure(error, most);
  }
}

function failure(error: unknown, most: number): InflateError {
  const { code, message } = error as NodeJS.ErrnoException;
  const tooLong = code === 'ERR_BUFFER_TOO_LARGE';
  return new InflateError(tooLong ? `holds more than ${most} bytes` : `is not whole gzip data (${message})`, {
    tooLong,
    cause: error,
  });
}
