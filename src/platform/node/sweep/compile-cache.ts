import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePrivate } from '../private-folder.ts';

/**
 * Gives a folder in which processes of trials keep what they have compiled: a short trial takes half the time. Code is run from it, so that it is
 * private: `~/.cache/flipgrad/compile-cache`, else a temporary folder until the work has ended. A folder that the user's own environment
 * names (NODE_COMPILE_CACHE) is taken as it is.
 */
export async function withCompileCache<T>(
  work: (folder: string) => Promise<T>,
  { home = homedir(), named = process.env.NODE_COMPILE_CACHE ?? '' } = {},
): Promise<T> {
  if (named !== '') return work(named);
  const kept = join(home, '.cache', 'flipgrad', 'compile-cache');
  if (await makePrivate(kept)) return work(kept);
  // mkdtemp makes folders of mode 0700.
  const passing = await mkdtemp(join(tmpdir(), 'flipgrad-compile-cache-'));
  try {
    return await work(passing);
  } finally {
    await rm(passing, { recursive: true, force: true }).catch(() => {});
  }
}
