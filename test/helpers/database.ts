import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEmbedded } from '../../src/platform/node/sweep/database.ts';
import { TrialQueue } from '../../src/platform/node/sweep/queue.ts';
import { SweepStore } from '../../src/platform/node/sweep/store.ts';
import { takeLock } from './lock.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What decides what an empty database holds: Postgres, the tables of the queue, and those of sweeps. */
const MADE_BY = [
  'node_modules/@electric-sql/pglite/package.json',
  'node_modules/pg-boss/package.json',
  'src/platform/node/sweep/queue.ts',
  'src/platform/node/sweep/tables.ts',
];

/**
 * Puts a database with tables and without a sweep into a folder, where `openEmbedded` finds it: a copy of one that is made once for all
 * tests. To make one takes twelve seconds of processor time and its tables two, to open one that is there takes two.
 * @returns the folder
 */
export async function withDatabase(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of MADE_BY) hash.update(readFileSync(join(root, file)));
  const empty = join(root, `node_modules/.cache/flipgrad-tests-database-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(empty)) await make(empty);
  mkdirSync(folder, { recursive: true });
  cpSync(empty, folder, { recursive: true });
  return folder;
}

/** Beside its place, and moved there when it is whole. */
async function make(empty: string): Promise<void> {
  mkdirSync(dirname(empty), { recursive: true });
  const release = takeLock(`${empty}.lock`);
  try {
    if (existsSync(empty)) return;
    const own = `${empty}.part`;
    rmSync(own, { recursive: true, force: true });
    const database = await openEmbedded(own);
    await new SweepStore(database).create();
    await (await TrialQueue.open(database, true)).close();
    await database.close();
    renameSync(own, empty);
  } finally {
    release();
  }
}
