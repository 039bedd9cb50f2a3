/**
 * The place of one run: a folder on a disk, given by the platform. Names are relative, with `/`. Its contents may come from a stranger: no
 * operation follows a link within it, opens what is no plain file, or takes a name that leads out of it; each throws StorageError then.
 */
export interface Folder {
  /** What it is, for messages. */
  readonly path: string;
  /**
   * The contents of a file; undefined where there is none.
   * @throws StorageError when it has more than `most` bytes, or cannot be read
   */
  read(name: string, most: number): Promise<Uint8Array | undefined>;
  /** The contents of a file piece by piece, for files that are large; none where there is no file. @throws as `read` */
  pieces(name: string, most: number): AsyncIterable<Uint8Array>;
  /**
   * Writes a file, or a folder of files, whole or not at all, and returns when it would survive a loss of power.
   * @throws StorageError when it cannot be written; what stood under the name then still does
   */
  write(name: string, content: Uint8Array | Readonly<Record<string, Uint8Array>>): Promise<void>;
  /** Adds to the end of a file, which it makes where there is none. @throws StorageError */
  append(name: string, bytes: Uint8Array): Promise<void>;
  /** Returns when what was added to a file would survive a loss of power; at once where there is no file. @throws StorageError */
  sync(name: string): Promise<void>;
  /** Cuts a file. @throws StorageError */
  truncate(name: string, length: number): Promise<void>;
  /** Names of the files and folders in it or in a folder of it, sorted; none where it does not exist. */
  list(name?: string): Promise<readonly string[]>;
  /** Removes a file or folder, if there is one. @throws StorageError */
  remove(name: string): Promise<void>;
  /**
   * Takes the folder for one writer, and makes it where there is none; it is gone again when the lock goes and nothing was written.
   * @throws StorageError when another one has it, which is alive
   */
  lock(): Promise<FolderLock>;
  /** Is there a writer that is alive? */
  locked(): Promise<boolean>;
}

/** The right to write into a folder. */
export interface FolderLock {
  /** Aborts, with a LockLostError, when another writer has taken over, since this one had been silent for too long, or the folder is gone. */
  readonly lost: AbortSignal;
  /** Removes what killed writers have left. Not part of taking the lock: a writer that is refused later has then changed nothing. */
  tidy(): Promise<void>;
  /** Gives the lock back. */
  release(): Promise<void>;
}

/** A file or folder that cannot be read or written: the message says which, why, and what was expected. */
export class StorageError extends Error {
  override name = 'StorageError';
  /** Is the reason that the disk, or a limit on it, is exhausted? */
  readonly full: boolean;

  constructor(message: string, options: { full?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.full = options.full ?? false;
  }
}

/** The folder is not this process's any more: another one took it over, or it is gone. */
export class LockLostError extends StorageError {}
