import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type FolderLock, StorageError } from '../../runs/folder.ts';
import { codeOf, explained } from './storage-reason.ts';

const FILE = '.lock';
/** The owner touches its lock so often, in milliseconds. */
const HEARTBEAT = 5_000;
/** A lock that nobody has touched for so long is nobody's: its owner's machine is gone, or the process was suspended. */
const STALE = 120_000;

/** What file systems answer that have no links. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

interface Owner {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
}

/** The tokens of the locks that this process holds. */
const held = new Set<string>();

/**
 * Takes the lock of a folder, also from an owner that is dead: on this machine by its process number, on another one when it has
 * been silent for two minutes.
 * @param heartbeat milliseconds between two touches
 * @throws StorageError when the owner lives
 */
export async function lockFolder(folder: string, heartbeat = HEARTBEAT): Promise<FolderLock> {
  const file = join(folder, FILE);
  const own: Owner = { token: randomUUID(), pid: process.pid, host: hostname() };
  for (let attempt = 0; attempt < 10; attempt++) {
    if (await place(file, own)) return keep(file, own, heartbeat);
    const owner = await readOwner(file);
    if (owner && (await lives(file, owner)))
      throw new StorageError(
        `${folder} is in use by process ${owner.pid} on ${owner.host}; ending that, or another folder, would do.`,
      );
    await takeAway(file, owner);
  }
  throw new StorageError(`${folder} cannot be locked: others take ${FILE} again and again.`);
}

/** Removes what kills have left of attempts to lock a folder. An attempt under way that loses its part begins again. */
export async function sweepLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    if (!name.startsWith(`${FILE}-`)) continue;
    const owner = await readOwner(file);
    if (!owner || !(await lives(file, owner))) await rm(file, { force: true });
  }
}

/** Does a living owner hold the folder's lock? */
export async function isLocked(folder: string): Promise<boolean> {
  const owner = await readOwner(join(folder, FILE));
  return owner !== undefined && (await lives(join(folder, FILE), owner));
}

/** Writes the lock unless there is one. It is there with its contents or not at all: a link to a file that is complete. */
async function place(file: string, own: Owner): Promise<boolean> {
  const part = `${file}-${own.token}`;
  try {
    await writeFile(part, JSON.stringify(own));
    await link(part, file).catch((error: NodeJS.ErrnoException) => {
      if (!WITHOUT_LINKS.has(error.code ?? '')) throw error;
      return writeFile(file, JSON.stringify(own), { flag: 'wx' });
    });
    held.add(own.token);
    return true;
  } catch (error) {
    // ENOENT: another one swept our part away.
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false;
    throw explained(error, file, 'written');
  } finally {
    await rm(part, { force: true }).catch(() => {});
  }
}

/** Removes a dead owner's lock, and no other's that may have come in its place meanwhile. */
async function takeAway(file: string, dead: Owner | undefined): Promise<void> {
  const aside = `${file}-${randomUUID()}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const owner = await readOwner(aside);
  // Somebody else's, just taken: back with it.
  if (owner?.token !== dead?.token) await rename(aside, file).catch(() => {});
  else await rm(aside, { force: true });
}

function keep(file: string, own: Owner, heartbeat: number): FolderLock {
  const lost = new AbortController();
  const beat = setInterval(async () => {
    const owner = await readOwner(file);
    if (owner?.token === own.token) return utimes(file, new Date(), new Date()).catch(() => {});
    clearInterval(beat);
    lost.abort(new StorageError(`${file} was taken over by process ${owner?.pid} on ${owner?.host}; this one stops.`));
  }, heartbeat);
  beat.unref();
  return {
    lost: lost.signal,
    async release() {
      clearInterval(beat);
      held.delete(own.token);
      if ((await readOwner(file))?.token === own.token) await rm(file, { force: true }).catch(() => {});
    },
  };
}

/** The owner that a lock names; undefined when there is none, or a kill cut it short. */
async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(file, 'utf8'));
    const { token, pid, host } = owner as Owner;
    return typeof token === 'string' && Number.isInteger(pid) && typeof host === 'string'
      ? { token, pid, host }
      : undefined;
  } catch {
    return undefined;
  }
}

async function lives(file: string, { token, pid, host }: Owner): Promise<boolean> {
  const touched = await stat(file).catch(() => undefined);
  if (!touched || Date.now() - touched.mtimeMs > STALE) return false;
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(token);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
