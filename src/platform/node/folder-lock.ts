import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, readdir, readFile, readlink, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FolderLock, LockLostError, StorageError } from '../../runs/folder.ts';
import { openBelow } from './below.ts';
import { codeOf, explained } from './storage-reason.ts';

const FILE = '.lock';
/** The owner touches its lock so often, in milliseconds. */
const HEARTBEAT = 5_000;
/** Milliseconds without a touch after which the lock of another machine is free: that machine is taken for gone. */
const STALE = 120_000;

/** A lock is some 200 bytes. */
const MOST_OWNER = 4096;
/** Where proc(5)'s stat has the start of a process, counted from its third field. */
const STARTED = 19;

/** What file systems answer that have no links. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** The lock itself. */
type Held = Omit<FolderLock, 'tidy'> & {
  /** @throws LockLostError when the lock is not held any more */
  check(): Promise<void>;
};

/** Another process that looks whose lock it is may move it for a moment. */
const MOVED = 200;

interface Owner extends Partial<Identity> {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
}

/** What tells a process from another one of the same number. */
interface Identity {
  /** Where process numbers mean the same: the boot of a machine and the namespace of numbers, as containers have their own. */
  readonly realm: string;
  /** When the process began, in the kernel's ticks since the boot: no clock that anybody sets. */
  readonly started: string;
}

/** The tokens of the locks that this process holds. */
const held = new Set<string>();

/**
 * Takes the lock of a folder, also from an owner that is dead: on this machine when there is no such process, whatever the file's age
 * and the clock; on another one when it has been silent for two minutes.
 * @param heartbeat milliseconds between two touches
 * @throws StorageError when the owner lives, or no lock but something else stands in its place
 */
export async function lockFolder(folder: string, heartbeat = HEARTBEAT): Promise<Held> {
  const file = join(folder, FILE);
  const identity = await identityOf(process.pid);
  const own: Owner = { token: randomUUID(), pid: process.pid, host: hostname(), ...identity };
  for (let attempt = 0; attempt < 10; attempt++) {
    if (await place(file, own)) return keep(file, own, heartbeat);
    const owner = await readOwner(file);
    if (owner && (await lives(file, owner)))
      throw new StorageError(
        `${folder} is in use by process ${owner.pid} on ${owner.host}. Expected its end, or another folder.`,
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
    const owner = await readOwner(file).catch(() => 'no lock' as const);
    if (owner === 'no lock' || (owner && (await lives(file, owner)))) continue;
    await rm(file, { force: true });
  }
}

/** Does a living owner hold the folder's lock? */
export async function isLocked(folder: string): Promise<boolean> {
  const owner = await readOwner(join(folder, FILE)).catch(() => undefined);
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
  // Another process has just taken this lock: put it back.
  if (owner?.token !== dead?.token) await rename(aside, file).catch(() => {});
  else await rm(aside, { force: true });
}

function keep(file: string, own: Owner, heartbeat: number): Held {
  const lost = new AbortController();
  const beat = setInterval(async () => {
    const loss = await lossOf(file, own);
    if (!loss) return utimes(file, new Date(), new Date()).catch(() => {});
    clearInterval(beat);
    lost.abort(loss);
  }, heartbeat);
  beat.unref();
  return {
    lost: lost.signal,
    async check() {
      const loss = await lossOf(file, own);
      if (loss) throw loss;
    },
    async release() {
      clearInterval(beat);
      held.delete(own.token);
      if ((await readOwner(file).catch(() => undefined))?.token === own.token)
        await rm(file, { force: true }).catch(() => {});
    },
  };
}

/** What became of a lock that its owner does not hold any more; undefined while it does. */
async function lossOf(file: string, own: Owner): Promise<LockLostError | undefined> {
  const folder = dirname(file);
  for (const pause of [MOVED, 0]) {
    const owner = await readOwner(file).catch(() => undefined);
    if (owner?.token === own.token) return undefined;
    if (owner)
      return new LockLostError(`${file} was taken over by process ${owner.pid} on ${owner.host}; this one stops.`);
    // It cannot be read for the moment, as where all descriptors are in use.
    if (await isThere(file)) return undefined;
    if (pause > 0) await sleep(pause);
  }
  return new LockLostError(
    (await isThere(folder))
      ? `${file} was removed while process ${own.pid} was using ${folder}; it stops, since another process may write there. Expected the file to stay until the process ends.`
      : `${folder} was removed or renamed while process ${own.pid} was using it; nothing can be saved there. Expected the folder to stay until the process ends.`,
  );
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error) => !['ENOENT', 'ENOTDIR'].includes(codeOf(error)),
  );

/**
 * The owner that a lock names; undefined when there is none, or a kill cut it short.
 * @throws StorageError when a link or what is no plain file stands there
 */
async function readOwner(file: string): Promise<Owner | undefined> {
  const bytes = new Uint8Array(MOST_OWNER);
  let length: number;
  try {
    const handle = await openBelow(dirname(file), basename(file), constants.O_RDONLY);
    try {
      length = (await handle.read(bytes, 0, MOST_OWNER, 0)).bytesRead;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof StorageError) throw error;
    return undefined;
  }
  try {
    const { token, pid, host, realm, started } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
    if (![token, host].every((text) => typeof text === 'string') || !Number.isInteger(pid)) return undefined;
    return { token, pid, host, ...(typeof realm === 'string' && typeof started === 'string' && { realm, started }) };
  } catch {
    return undefined;
  }
}

async function lives(file: string, { token, pid, host, realm, started }: Owner): Promise<boolean> {
  const own = await identityOf(process.pid);
  if (host !== hostname() || (realm !== undefined && own !== undefined && realm !== own.realm)) {
    const touched = await lstat(file).catch(() => undefined);
    return touched !== undefined && Date.now() - touched.mtimeMs <= STALE;
  }
  if (pid === process.pid) return held.has(token);
  if (!isProcess(pid)) return false;
  const now = await identityOf(pid);
  // Another process has this number by now, or the process has ended and its exit code was not collected.
  return started === undefined || now === undefined || now.started === started;
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** See `Identity`; undefined where the system does not tell. */
async function identityOf(pid: number): Promise<Identity | undefined> {
  try {
    const [boot, space, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The name in brackets may hold anything; after it the fields from the third on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const started = fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[STARTED];
    return { realm: `${boot.trim()} ${space}`, started };
  } catch {
    return undefined;
  }
}
