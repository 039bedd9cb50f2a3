import { mkdirSync, rmdirSync, statSync } from 'node:fs';

const PAUSE = 200;
/** Of what is made under a lock, on a busy machine; a lock that is older is of a process that was killed. */
const LONGEST = 300_000;

/**
 * Waits until no other process has the lock, a folder that is made at that path, and takes it: what all test files want is made by one.
 * @returns releases it
 */
export function takeLock(lock: string): () => void {
  const start = Date.now();
  while (Date.now() - start < 2 * LONGEST) {
    try {
      mkdirSync(lock);
      return () => rmdirSync(lock);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > LONGEST) rmdirSync(lock);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
  throw new Error(`${lock} is there all the time. Remove it.`);
}
