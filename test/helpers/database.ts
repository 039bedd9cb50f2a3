import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEmbedded } from '../../src/platform/node/sweep/database.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Puts an empty database into a folder, where `openEmbedded` finds it: a copy of one that is made once for all tests. To make one takes ten
 * seconds of processor time, to open one that is there takes one.
 * @returns the folder
 */
export async function withDatabase(folder: string): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/@electric-sql/pglite/package.json'), 'utf8'));
  const empty = join(root, `node_modules/.cache/flipgrad-tests-database-${version}`);
  if (!existsSync(empty)) await make(empty);
  mkdirSync(folder, { recursive: true });
  cpSync(empty, folder, { recursive: true });
  return folder;
}

/** Beside its place, and moved there when it is whole; another process may have been sooner. */
async function make(empty: string): Promise<void> {
  mkdirSync(dirname(empty), { recursive: true });
  const own = mkdtempSync(`${empty}-`);
  await (await openEmbedded(own)).close();
  try {
    renameSync(own, empty);
  } catch (error) {
    rmSync(own, { recursive: true });
    if (!existsSync(empty)) throw error;
  }
}
