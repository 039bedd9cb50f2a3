import { shorten } from '../../../io/json.ts';
import { METRICS_FILE } from '../../../runs/metrics.ts';
import { isPlainName } from '../../../runs/plain-name.ts';
import { RUN_FILE } from '../../../runs/run.ts';
import { nodeFolder } from '../folder.ts';
import type { SweepStore } from './store.ts';
import { SweepError } from './sweep-error.ts';

const MOST_FILE = 2 ** 30;
const CHECKPOINT = /^epoch-\d{1,16}-step-\d{1,16}$/;

/** Keeps the newest checkpoint of a run's folder in the database, if that is newer. @returns the checkpoint that it has then */
export async function keepCheckpoint(
  store: SweepStore,
  sweep: string,
  run: string,
  path: string,
  kept: string | undefined,
): Promise<string | undefined> {
  const folder = nodeFolder(path);
  const newest = await newestIn(path);
  if (newest === undefined || newest === kept) return kept;
  const place = `checkpoints/${newest}`;
  const names = [RUN_FILE, METRICS_FILE, ...(await folder.list(place)).map((name) => `${place}/${name}`)];
  const files: Record<string, Uint8Array> = {};
  for (const name of names) {
    const bytes = await folder.read(name, MOST_FILE);
    // It made room for a newer one while it was read: that one is kept next time.
    if (!bytes) return kept;
    files[name] = bytes;
  }
  await store.checkpoints.save(sweep, run, newest, files);
  return newest;
}

/**
 * Puts the checkpoint of another worker into a run's folder, unless what lies there is as new.
 * @returns the checkpoint in the database
 * @throws SweepError, with the folder as it was, when its files are none of a run's
 */
export async function fetchCheckpoint(
  store: SweepStore,
  sweep: string,
  run: string,
  path: string,
): Promise<string | undefined> {
  const newest = await store.checkpoints.newest(sweep, run);
  if (newest === undefined || newest <= ((await newestIn(path)) ?? '')) return newest;
  const files = await store.checkpoints.files(sweep, run, newest);
  checkFiles(run, newest, Object.keys(files));
  const folder = nodeFolder(path);
  for (const name of await folder.list()) await folder.remove(name);
  // run.json last: without it there is no run.
  const names = Object.keys(files).sort((a, b) => Number(a === RUN_FILE) - Number(b === RUN_FILE));
  for (const name of names) await folder.write(name, files[name]);
  return newest;
}

/** Before anything is removed or written. @throws SweepError where a checkpoint has another file than `keepCheckpoint` gives it */
function checkFiles(run: string, checkpoint: string, names: readonly string[]): void {
  const place = `checkpoints/${checkpoint}/`;
  const fits = (name: string): boolean =>
    name === RUN_FILE || name === METRICS_FILE || (name.startsWith(place) && isPlainName(name.slice(place.length)));
  const stranger = CHECKPOINT.test(checkpoint) ? names.find((name) => !fits(name)) : checkpoint;
  if (stranger === undefined) return;
  throw new SweepError(
    `In the database, a checkpoint of ${run} has the name ${shorten(stranger)}. Expected ${RUN_FILE}, ${METRICS_FILE} and files of checkpoints/epoch-…-step-….`,
  );
}

async function newestIn(path: string): Promise<string | undefined> {
  const names = await nodeFolder(path).list('checkpoints');
  return names.filter((name) => CHECKPOINT.test(name)).at(-1);
}
