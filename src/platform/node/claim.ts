import { readFile, rm, writeFile } from 'node:fs/promises';
import { removePart } from './transfer.ts';

/** The right to write one part file. */
export interface Claim {
  part: string;
  release(): Promise<void>;
}

/** The locks that this process holds. */
const held = new Set<string>();
let privateParts = 0;

/** Whether a process runs; a process of another user does. */
function isAlive(owner: number): boolean {
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether a lock belongs to a download under way; a lock that a dead process left does not. */
async function isHeld(lock: string): Promise<boolean> {
  const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
  return owner === process.pid ? held.has(lock) : isAlive(owner);
}

/**
 * Claims `path`.part, which a later download may complete. Where another download of the same file holds it, in this
 * process or another, the claim is for a part of its own, removed at the end: two writers never share a file.
 */
export async function claimPart(path: string): Promise<Claim> {
  const lock = `${path}.lock`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      held.add(lock);
      const release = async () => {
        held.delete(lock);
        await rm(lock, { force: true });
      };
      return { part: `${path}.part`, release };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await isHeld(lock)) break;
    await rm(lock, { force: true });
  }
  const part = `${path}.${process.pid}-${++privateParts}.part`;
  return { part, release: () => removePart(part) };
}
