import { createHash } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { FolderLock } from '../../src/index.ts';
import { nodeFolder } from '../../src/platform/node/index.ts';

/** Attempts to lock, where other processes make and remove the same folders. */
const ATTEMPTS = 200;
/** Milliseconds between them. */
const PAUSE = 50;

/** Locks by name, so that several processes share a grid: one runs a trial, one writes at a time. A dead process's lock is free. */
export class TrialLocks {
  private readonly root: string;

  /** @param root folder of the locks, which is there only while there are any */
  constructor(root: string) {
    this.root = root;
  }

  /** The lock of a name; undefined while another process, or another caller in this one, holds it. */
  async take(name: string): Promise<FolderLock | undefined> {
    const path = this.pathOf(name);
    const folder = nodeFolder(path);
    for (let attempt = 1; ; attempt++) {
      try {
        const { lost, tidy, release } = await folder.lock();
        await tidy();
        return { lost, tidy, release: () => release().then(() => this.tidy(path)) };
      } catch (error) {
        if (await folder.locked()) return undefined;
        if (attempt === ATTEMPTS) throw error;
        await setTimeout(PAUSE);
      }
    }
  }

  /**
   * Does something while it alone holds the lock of a name.
   * @throws Error when others hold it for over ten seconds
   */
  async alone(name: string, act: () => void): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const lock = await this.take(name);
      if (!lock) {
        await setTimeout(PAUSE);
        continue;
      }
      try {
        return act();
      } finally {
        await lock.release();
      }
    }
    throw new Error(
      `${this.pathOf(name)} stays locked by another process. Wait until it ends, or name another folder.`,
    );
  }

  private pathOf(name: string): string {
    return join(this.root, createHash('sha256').update(name).digest('hex').slice(0, 16));
  }

  /** Removes folders that hold nothing. */
  private async tidy(path: string): Promise<void> {
    for (const folder of [path, this.root]) await rmdir(folder).catch(() => {});
  }
}
