import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeFolders } from './make-folders.ts';

/** Mode bits: any access of others, write access of everybody, and the sticky bit. */
const [OTHERS, ANYBODY_WRITES, STICKY] = [0o077, 0o002, 0o1000];

/**
 * A folder whose files this user alone can read, write or replace, made where there is none: for what a process later runs.
 * @returns is it a folder, no link, owned by the user, of mode 0700, in folders where no other user can replace it?
 */
export async function makePrivate(path: string): Promise<boolean> {
  try {
    makeFolders(path, 0o700);
    return await isPrivate(resolve(path));
  } catch {
    return false;
  }
}

async function isPrivate(path: string): Promise<boolean> {
  const facts = await lstat(path);
  if (!facts.isDirectory()) return false;
  // Windows has neither users nor modes here; a user's folders are the user's.
  if (process.getuid === undefined) return true;
  if (facts.uid !== process.getuid() || (facts.mode & OTHERS) !== 0) return false;
  for (let above = dirname(path); ; above = dirname(above)) {
    if (!isSafe(await stat(above))) return false;
    if (above === dirname(above)) return true;
  }
}

/** Can only the user and root replace what is in this folder? */
function isSafe({ uid, mode }: Stats): boolean {
  const own = uid === 0 || uid === process.getuid?.();
  return own && ((mode & ANYBODY_WRITES) === 0 || (mode & STICKY) !== 0);
}
