import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Folder, FolderLock } from '../../runs/folder.ts';
import { folderBelow, openBelow, pathBelow } from './below.ts';
import { isLocked, lockFolder, sweepLocks } from './folder-lock.ts';
import { makeFolders } from './make-folders.ts';
import { readOpened, sizeAtMost } from './plain-file.ts';
import { codeOf, explained } from './storage-reason.ts';

const PIECE = 2 ** 18;
const ADD = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;

/** A folder on this machine's disks; it need not exist yet. It may be reached over links; within it none is followed. */
export function nodeFolder(path: string): Folder {
  const place = new Place(path);
  return { path, ...readingOf(place), ...writingOf(place), lock: () => lockPlace(place) };
}

/** A folder, and the lock that this process holds on it. */
class Place {
  readonly path: string;
  own: Awaited<ReturnType<typeof lockFolder>> | undefined;

  constructor(path: string) {
    this.path = path;
  }

  at(name: string): string {
    return join(this.path, name);
  }

  /** A folder that was removed since this process locked it is not made again with a part of its files. @throws LockLostError */
  async stillOwn(): Promise<void> {
    await this.own?.check();
  }

  /** What an error of the system means: a file that is gone may mean that the folder is. */
  async meaning(...told: Parameters<typeof explained>): Promise<Error> {
    if (codeOf(told[0]) === 'ENOENT') await this.stillOwn();
    return explained(...told);
  }

  /** The folders that a file below this one lies in. This folder itself is not made again where it was locked. */
  async makeRoom(target: string): Promise<void> {
    if (this.own) await makeBelow(this.path, dirname(target));
    else makeFolders(dirname(target));
  }

  /** Opens a file, does something with it and closes it. @param what is attempted, for messages: `written` */
  async using<T>(
    name: string,
    flags: number,
    what: string,
    act: (file: FileHandle) => Promise<T>,
    content?: Uint8Array,
  ): Promise<T> {
    try {
      const file = await openBelow(this.path, name, flags);
      try {
        return await act(file);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw await this.meaning(error, this.at(name), what, content);
    }
  }
}

/** What reads a folder. */
function readingOf(place: Place): Pick<Folder, 'read' | 'pieces' | 'list' | 'locked'> {
  const { path } = place;
  return {
    async read(name, most) {
      const file = await openToRead(path, name, most);
      if (!file) return undefined;
      try {
        return await readOpened(file.handle, place.at(name), most);
      } catch (error) {
        throw explained(error, place.at(name), 'read');
      } finally {
        await file.handle.close();
      }
    },
    async *pieces(name, most) {
      const file = await openToRead(path, name, most);
      if (!file) return;
      try {
        yield* piecesOf(file);
      } catch (error) {
        throw explained(error, place.at(name), 'read');
      } finally {
        await file.handle.close();
      }
    },
    async list(name = '.') {
      const names = await readdir(await folderBelow(path, name)).catch((error) => {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
        throw explained(error, place.at(name), 'read');
      });
      return names.sort();
    },
    locked: () => isLocked(path),
  };
}

/** What changes a folder's files. */
function writingOf(place: Place): Pick<Folder, 'write' | 'append' | 'sync' | 'truncate' | 'remove'> {
  const { path } = place;
  return {
    async write(name, content) {
      await place.stillOwn();
      const target = await pathBelow(path, name);
      // Two writers never share a temporary name; a kill leaves one behind, which the next lock removes.
      const part = join(dirname(target), `.${randomUUID()}.part`);
      try {
        await place.makeRoom(target);
        if (content instanceof Uint8Array) await writeDurably(part, content);
        else await writeFolder(part, content);
        await rename(part, target);
        await syncFolder(dirname(target));
      } catch (error) {
        await rm(part, { recursive: true, force: true }).catch(() => {});
        throw await place.meaning(error, target, 'written', content);
      }
    },
    async append(name, bytes) {
      await place.stillOwn();
      await place.makeRoom(await pathBelow(path, name)).catch(async (error) => {
        throw await place.meaning(error, place.at(name), 'written', bytes);
      });
      await place.using(name, ADD, 'written', (file) => file.writeFile(bytes), bytes);
    },
    async sync(name) {
      try {
        const file = await openBelow(path, name, constants.O_WRONLY);
        try {
          await file.sync();
        } finally {
          await file.close();
        }
        await syncFolder(dirname(place.at(name)));
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw explained(error, place.at(name), 'written');
      }
    },
    truncate: (name, length) => place.using(name, constants.O_WRONLY, 'cut', (file) => file.truncate(length)),
    async remove(name) {
      await rm(await pathBelow(path, name), { recursive: true, force: true }).catch((error) => {
        throw explained(error, place.at(name), 'removed');
      });
    },
  };
}

async function lockPlace(place: Place): Promise<FolderLock> {
  const { path } = place;
  let made: string | undefined;
  try {
    made = makeFolders(path);
  } catch (error) {
    throw explained(error, path, 'made');
  }
  const lock = await lockFolder(path);
  place.own = lock;
  return {
    lost: lock.lost,
    async tidy() {
      await sweepLocks(path);
      for (const folder of [path, await folderBelow(path, 'checkpoints')])
        for (const name of await readdir(folder).catch(() => []))
          if (/^\.[0-9a-f-]{36}\.part$/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
    },
    async release() {
      place.own = undefined;
      await lock.release();
      if (made !== undefined) await removeEmpty(path, made);
    },
  };
}

interface ToRead {
  readonly handle: FileHandle;
  readonly size: number;
}

/** A file below a folder, open; undefined where there is none. @throws StorageError when it is larger than `most` bytes, or cannot be read */
async function openToRead(root: string, name: string, most: number): Promise<ToRead | undefined> {
  const path = join(root, name);
  let handle: FileHandle | undefined;
  try {
    handle = await openBelow(root, name, constants.O_RDONLY);
    return { handle, size: await sizeAtMost(handle, path, most) };
  } catch (error) {
    await handle?.close();
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw explained(error, path, 'read');
  }
}

/** What a file held when it was opened: what it has gained since is left for the next reader. */
async function* piecesOf({ handle, size }: ToRead): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < size; ) {
    const piece = new Uint8Array(Math.min(PIECE, size - at));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** Makes a folder below one that is there, and those between. */
async function makeBelow(root: string, folder: string): Promise<void> {
  if (resolve(folder) === resolve(root)) return;
  await makeBelow(root, dirname(folder));
  await mkdir(folder).catch((error) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/** Removes folders that hold nothing, from one up to the first that was made for it. */
async function removeEmpty(path: string, first: string): Promise<void> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const gone = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (!gone || folder === resolve(first) || folder === dirname(folder)) return;
  }
}

async function writeFolder(folder: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  await mkdir(folder);
  for (const [name, bytes] of Object.entries(files)) await writeDurably(join(folder, name), bytes);
  await syncFolder(folder);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last. Windows cannot open a folder, and needs no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
