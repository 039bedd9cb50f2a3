import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

const PAUSE = 200;
/** What is made under a lock takes less, on a busy machine too. */
const LONGEST = 600_000;

/**
 * Waits until no other process has the lock, and takes it: what all test files want is made by one.
 *
 * Every owner has a file of its own beside the path, with the next number and the number of its process in it; it is empty once released. The
 * lock is that of the owner with the highest number, and free where that one has released it or is dead. Of those who find it free one alone can make the next
 * file; nobody ever removes the highest, so that none who looked before can take the lock twice.
 * @returns releases it
 */
export function takeLock(lock: string): () => void {
  mkdirSync(dirname(lock), { recursive: true });
  const part = `${lock}.${randomUUID()}`;
  writeFileSync(part, String(process.pid));
  try {
    for (const start = Date.now(); Date.now() - start < LONGEST; ) {
      const last = Math.max(0, ...numbersOf(lock));
      if (last > 0 && isHeld(`${lock}.${last}`)) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
        continue;
      }
      const own = last + 1;
      const file = `${lock}.${own}`;
      if (!isMade(() => linkSync(part, file))) continue;
      const all = numbersOf(lock);
      if (Math.max(...all) === own) {
        for (const before of all) if (before < own) rmSync(`${lock}.${before}`, { force: true });
        return () => writeFileSync(file, '');
      }
      // Others have come and gone since it was looked.
      rmSync(file);
    }
  } finally {
    rmSync(part, { force: true });
  }
  throw new Error(`${lock} is held all the time. Remove its files.`);
}

/** The numbers of the owners that have been, but for those whose file is removed. */
function numbersOf(lock: string): number[] {
  const name = `${basename(lock)}.`;
  return readdirSync(dirname(lock)).flatMap((file) =>
    file.startsWith(name) && /^\d+$/.test(file.slice(name.length)) ? [Number(file.slice(name.length))] : [],
  );
}

/** Has the owner neither released it nor died? */
function isHeld(file: string): boolean {
  let owner: number;
  try {
    owner = Number(readFileSync(file, 'utf8'));
  } catch {
    // It is not the highest any more.
    return true;
  }
  if (owner === 0) return false;
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** @returns was it not there? */
function isMade(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
