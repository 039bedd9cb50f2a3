import { StorageError } from '../../runs/folder.ts';

/** What a disk without room, a quota or a limit on file sizes answers. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than this process may write',
  EACCES: 'permission denied',
  EROFS: 'the disk is read-only',
};

/** The system's code of an error, empty where it has none. */
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/** The error of an attempt on a file, in a sentence. @param what had been attempted, e.g. `written` @param content of it, for its size */
export function explained(
  error: unknown,
  path: string,
  what: string,
  content?: Uint8Array | Record<string, Uint8Array>,
): Error {
  if (error instanceof StorageError) return error;
  const code = codeOf(error);
  if (code === '') return error as Error;
  const bytes = content instanceof Uint8Array ? content.length : sizeOf(content);
  const size = bytes === 0 ? '' : ` (${bytes} bytes)`;
  const reason = REASONS[code] ?? (error as Error).message;
  const advice = code === 'EFBIG' ? ' Raise the limit.' : FULL.has(code) ? ' Free some space.' : '';
  return new StorageError(`${path}${size} cannot be ${what}: ${reason}.${advice}`, {
    full: FULL.has(code),
    cause: error,
  });
}

const sizeOf = (files: Readonly<Record<string, Uint8Array>> = {}): number =>
  Object.values(files).reduce((sum, { length }) => sum + length, 0);
