import { open, rm, stat, writeFile } from 'node:fs/promises';
import { readPlainFile } from './plain-file.ts';

/** How far a download is. */
export interface DownloadProgress {
  file: string;
  /** The address that it comes from. */
  url: string;
  /** Bytes so far, those of an earlier, broken download included. */
  received: number;
  /** Bytes in all, where the server says so. */
  total?: number;
}

/** One download from one address. */
export interface TransferOptions {
  file: string;
  url: string;
  /** The path that bytes are written to; bytes there from the same address are completed. */
  part: string;
  /** The transfer fails when more bytes come. */
  most: number;
  /** The transfer fails when no byte comes for so long. */
  stallMilliseconds: number;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What stands beside a part: where its bytes are from. */
interface PartNotes {
  url: string;
  etag: string | null;
}

const MOST_NOTES = 2 ** 16;

/** More bytes came than the file has: it is another one. */
export class TooLongError extends Error {
  override name = 'TooLongError';
}

/** No byte came for too long. */
export class StallError extends Error {
  override name = 'StallError';
}

/** The path of a part's notes. */
export function notesPath(part: string): string {
  return `${part}.json`;
}

/** Removes a part and its notes. */
export async function removePart(part: string): Promise<void> {
  await Promise.all([rm(part, { force: true }), rm(notesPath(part), { force: true })]);
}

/** The size of a part in bytes; 0 when there is none. */
export async function partSize(part: string): Promise<number> {
  return stat(part).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The notes of a part, when they can be read. */
async function readNotes(part: string): Promise<PartNotes | undefined> {
  try {
    const notes: unknown = JSON.parse(String(Buffer.from(await readPlainFile(notesPath(part), MOST_NOTES))));
    if (typeof notes !== 'object' || notes === null || !('url' in notes) || !('etag' in notes)) return undefined;
    const { url, etag } = notes;
    return typeof url === 'string' && (typeof etag === 'string' || etag === null) ? { url, etag } : undefined;
  } catch {
    return undefined;
  }
}

/** Aborts when not touched for a while, or when the caller's signal does. */
function watchForStall(milliseconds: number, signal: AbortSignal | undefined) {
  const controller = new AbortController();
  const stalled = () => controller.abort(new StallError(`no data came for ${milliseconds / 1000} seconds`));
  let timer = setTimeout(stalled, milliseconds);
  return {
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    touch(): void {
      clearTimeout(timer);
      timer = setTimeout(stalled, milliseconds);
    },
    stop: (): void => clearTimeout(timer),
  };
}

/** Where a server's partial answer begins and how long the whole is. */
function contentRange(response: Response): { start: number; total: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  if (!match) return undefined;
  return { start: Number(match[1]), total: match[2] === '*' ? undefined : Number(match[2]) };
}

/** The whole length that a full answer announces; unknown when it is encoded on the way. */
function contentLength(response: Response): number | undefined {
  const length = response.headers.get('content-length');
  return length === null || response.headers.has('content-encoding') ? undefined : Number(length);
}

/** Asks for the address, from byte `from` on; the answer's body begins at the `start` that is returned. */
async function request(url: string, from: number, etag: string | null, signal: AbortSignal) {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (from > 0) headers.range = `bytes=${from}-`;
  if (from > 0 && etag?.startsWith('"')) headers['if-range'] = etag;
  const response = await fetch(url, { headers, signal });
  const range = response.status === 206 ? contentRange(response) : undefined;
  const continues = range?.start === from && (etag === null || response.headers.get('etag') === etag);
  if (from > 0 && (response.status === 416 || (response.status === 206 && !continues))) {
    await response.body?.cancel();
    return request(url, 0, null, signal);
  }
  if (response.status !== 200 && !(range && from > 0)) {
    await response.body?.cancel();
    throw new Error(`the server answered ${response.status} ${response.statusText}`.trimEnd());
  }
  return { response, start: range ? from : 0, total: range ? range.total : contentLength(response) };
}

/**
 * Downloads an address into a part file. A part from the same address is completed by an HTTP range; it is begun anew
 * where the server ignores ranges or its ETag has changed.
 * @throws the signal's reason when aborted, StallError, or an Error that says what the server did; the part stays. TooLongError, and
 * the part is gone
 */
export async function transfer(options: TransferOptions): Promise<void> {
  const { file, url, part, most, stallMilliseconds, onProgress, signal } = options;
  signal?.throwIfAborted();
  const watch = watchForStall(stallMilliseconds, signal);
  try {
    const notes = await readNotes(part);
    const size = notes?.url === url ? await partSize(part) : 0;
    const { response, start, total } = await request(url, size, notes?.etag ?? null, watch.signal);
    watch.touch();
    if (total !== undefined && total > most) {
      await response.body?.cancel();
      throw new TooLongError(`it announces ${total} bytes; the file has at most ${most}`);
    }
    const handle = await open(part, start > 0 ? 'a' : 'w');
    let received = start;
    try {
      await writeFile(notesPath(part), JSON.stringify({ url, etag: response.headers.get('etag') } satisfies PartNotes));
      for await (const chunk of response.body ?? []) {
        watch.touch();
        received += chunk.length;
        if (received > most) throw new TooLongError(`it sends more than the ${most} bytes that the file has at most`);
        await handle.write(chunk);
        onProgress?.({ file, url, received, ...(total !== undefined && { total }) });
      }
    } finally {
      await handle.close();
    }
    if (total !== undefined && received !== total)
      throw new Error(`the connection closed after ${received} of ${total} bytes`);
  } catch (error) {
    watch.signal.throwIfAborted();
    if (error instanceof TooLongError) await removePart(part);
    throw error;
  } finally {
    watch.stop();
  }
}
