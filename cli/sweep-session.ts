import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withCompileCache } from '../src/platform/node/sweep/compile-cache.ts';
import { type Database, openEmbedded, openServer } from '../src/platform/node/sweep/database.ts';
import { TrialQueue } from '../src/platform/node/sweep/queue.ts';
import { SweepStore } from '../src/platform/node/sweep/store.ts';
import { trialProcess } from '../src/platform/node/sweep/trial-process.ts';
import { type WorkerEvent, work } from '../src/platform/node/sweep/worker.ts';
import { UsageError } from './exit.ts';
import { codeMisfit, codeOfSweep, type OwnFlags, ownWords } from './own-code.ts';

/** What `sweep` and `worker` have in common. */
export interface WorkerFlags extends Pick<OwnFlags, 'net' | 'use'> {
  readonly db?: string;
  readonly folder?: string;
  readonly shared?: boolean;
  readonly workers: number;
  readonly threads?: number;
  readonly dataDir?: string;
  readonly checkpointEvery: number;
  readonly json?: boolean;
}

/** A database with what sweeps keep in it. */
export interface SweepSession {
  readonly database: Database;
  readonly store: SweepStore;
  readonly queue: TrialQueue;
  close(): Promise<void>;
}

/** Where sweeps go that are not told where: $FLIPGRAD_SWEEPS, else `sweeps` in the working folder. */
export const sweepsFolder = (): string => process.env.FLIPGRAD_SWEEPS ?? 'sweeps';

/** The database that was asked for: --db, else $FLIPGRAD_DB, which keeps a password out of lists of processes. */
export const databaseOf = ({ db }: { readonly db?: string }): string | undefined => db ?? process.env.FLIPGRAD_DB;

/** Opens a server's database, or the one that lies in a sweep's folder. */
export async function openSession(
  place: { readonly url: string } | { readonly folder: string },
  options: { setUp: boolean; workers: number; lease?: number; signal?: AbortSignal; onAway?: (reason: string) => void },
): Promise<SweepSession> {
  const { setUp, workers, lease, signal, onAway } = options;
  const database =
    'url' in place
      ? await openServer(place.url, {
          // Claims and heartbeats are short: a connection serves several workers.
          connections: Math.min(8, 2 + Math.ceil(workers / 4)),
          ...(signal && { signal }),
          ...(onAway && { onAway }),
        })
      : await openEmbedded(place.folder);
  try {
    const store = new SweepStore(database);
    if (setUp) await store.create();
    const queue = await TrialQueue.open(database, setUp, lease === undefined ? {} : { lease });
    return {
      database,
      store,
      queue,
      async close() {
        await queue.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface About {
  readonly sweep?: string;
  /** The folder of a sweep. */
  readonly folderOf: (sweep: string) => string | Promise<string>;
  readonly signal: AbortSignal;
  readonly onEvent: (event: WorkerEvent) => void;
  /** Called once for every sweep that is skipped, with the reason. */
  readonly onMisfit?: (reason: string) => void;
}

/** Runs workers in this process, each with its trials in processes of their own, until the sweeps are complete or the signal comes. */
export async function runWorkers(session: SweepSession, flags: WorkerFlags, about: About): Promise<void> {
  if (flags.workers > 0) await withCompileCache((compileCache) => runCached(session, flags, about, compileCache));
}

async function runCached(
  { store, queue, database }: SweepSession,
  flags: WorkerFlags,
  about: About,
  compileCache: string,
): Promise<void> {
  const { workers, checkpointEvery, shared = false } = flags;
  const { sweep, folderOf, signal, onEvent, onMisfit } = about;
  const given = codeOfSweep(flags);
  const threads = flags.threads ?? Math.max(1, Math.floor(availableParallelism() / Math.max(1, workers)));
  const runTrial = trialProcess({
    main: fileURLToPath(new URL(`./main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)),
    threads,
    checkpointEvery,
    dataDir: flags.dataDir,
    code: ownWords(flags),
    compileCache,
  });
  const left = new Map<string, boolean>();
  /** May trials of the sweep be taken, with the code that was named? */
  const fits = async (name: string): Promise<boolean> => {
    if (!left.has(name)) {
      const reason = codeMisfit(name, (await store.definition(name))?.code ?? [], given);
      if (reason !== undefined && !left.has(name)) onMisfit?.(reason);
      left.set(name, reason !== undefined);
    }
    return !left.get(name);
  };
  const each = Array.from({ length: workers }, (_, i) =>
    work({
      store,
      queue,
      sweeps: async () => {
        if (sweep === undefined) {
          const names = await store.names({ unfinished: true });
          const taken = await Promise.all(names.map(fits));
          return names.filter((_, i) => taken[i]);
        }
        return (await store.isComplete(sweep)) ? [] : [sweep];
      },
      runTrial,
      folder: async (name) => join(await folderOf(name), 'trials'),
      // Nobody else has a database in a folder.
      shared: shared || database.embedded,
      keepEvery: checkpointEvery,
      name: `${hostname()}:${process.pid}:${i + 1}`,
      signal,
      onEvent,
    }),
  );
  await Promise.all(each);
}

/** @throws UsageError where a server's address is wanted and none is given */
export function serverOf(flags: { readonly db?: string }): string {
  const url = databaseOf(flags);
  if (url !== undefined) return url;
  throw new UsageError(
    'Workers share a Postgres server. Expected --db postgres://user@host:5432/name, or $FLIPGRAD_DB.',
  );
}
