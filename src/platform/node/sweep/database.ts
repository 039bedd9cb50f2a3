import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFolder } from '../folder.ts';
import { makeFolders } from '../make-folders.ts';
import { openFiles } from '../open-files.ts';
import { type Patience, patient } from './patient.ts';
import { needed, SweepError } from './sweep-error.ts';

/** A Postgres database: a server's, or one inside this process. */
export interface Database {
  /** Is it inside this process, which is then the only one that has it? */
  readonly embedded: boolean;
  /** What it is, for messages; without a password. */
  readonly name: string;
  /** One statement. It is tried again while the server is away. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Several statements at once, without values, as a queue's set-up has them. */
  readonly raw: { executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> };
  close(): Promise<void>;
}

export interface ServerOptions extends Patience {
  /** Connections at most; default 4. */
  readonly connections?: number;
}

/** Postgres in this process keeps some 70 files open; without room for them it says that they exist. */
const LEAST_FILES = 256;
/** Seconds for which a connection waits for a server that is starting. */
const SOON = 5;
/** SQLSTATE of a server that shuts down, has crashed, or starts. */
const RESTARTING = /^57P0[123]$/;

/**
 * Opens a database of a Postgres server.
 * @param url postgres://user:password@host:port/name; what it leaves out comes from libpq's variables (PGHOST, PGPASSWORD, …)
 * @throws SweepError when there is no such server or no right to use it
 */
export async function openServer(url: string, options: ServerOptions = {}): Promise<Database> {
  const { connections = 4 } = options;
  const { default: pg } = await needed('pg', () => import('pg'));
  const name = withoutPassword(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 10_000,
    application_name: 'flipgrad',
    keepAlive: true,
  });
  // A connection that breaks while it is idle is replaced when the next one is requested.
  pool.on('error', () => {});
  const execute = patient(
    (text: string, values?: readonly unknown[]) => pool.query(text, values as unknown[] | undefined),
    options,
  );
  try {
    // Fail at once for a wrong address; wait for a server that says that it is starting or stopping.
    await patient(() => pool.query('select 1'), { ...options, patience: SOON })().catch((error) =>
      RESTARTING.test(String((error as { code?: unknown }).code)) ? execute('select 1') : Promise.reject(error),
    );
  } catch (error) {
    await pool.end();
    throw new SweepError(`${name} cannot be used: ${messageOf(error)}. Expected a running Postgres server.`);
  }
  return {
    embedded: false,
    name,
    query: async <Row>(text: string, values: readonly unknown[] = []) => (await execute(text, values)).rows as Row[],
    raw: { executeSql: execute },
    close: () => pool.end(),
  };
}

/**
 * Opens the database that lies in a folder, and makes it where there is none. One process may have it. Its statements throw SweepError
 * when the folder goes away.
 * @throws StorageError when another process has it; SweepError where this process may not open files enough
 */
export async function openEmbedded(path: string): Promise<Database> {
  const limit = openFiles() ?? LEAST_FILES;
  if (limit < LEAST_FILES)
    throw new SweepError(
      `A database in a folder wants ${LEAST_FILES} open files, and the limit of this process is ${limit}. Expected a higher one: \`ulimit -n 1024\` before the command.`,
    );
  const { PGlite } = await needed('@electric-sql/pglite', () => import('@electric-sql/pglite'));
  const { fromPglite } = await needed('pg-boss', () => import('pg-boss'));
  makeFolders(path);
  const lock = await nodeFolder(path).lock();
  try {
    await lock.tidy();
    const place = join(path, 'database');
    const pglite = await PGlite.create(place);
    const { executeSql } = fromPglite(pglite as unknown as Parameters<typeof fromPglite>[0]);
    const present = async (): Promise<void> => {
      const there = await lstat(place).then(
        (facts) => facts.isDirectory(),
        () => false,
      );
      if (!there)
        throw new SweepError(
          `${path} was removed or renamed while a sweep was using it; its results are where the folder is now. Expected the folder to stay until the sweep ends.`,
        );
    };
    /** Statements before and after the folder went away say so, and not what the database cannot open. */
    const guarded =
      <A extends unknown[], R>(send: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        await present();
        try {
          return await send(...args);
        } catch (error) {
          await present();
          throw error;
        }
      };
    const query = guarded((text: string, values: readonly unknown[]) => pglite.query(text, values as unknown[]));
    return {
      embedded: true,
      name: path,
      query: async <Row>(text: string, values: readonly unknown[] = []) => (await query(text, values)).rows as Row[],
      raw: { executeSql: guarded(executeSql) },
      async close() {
        try {
          await pglite.close();
        } catch (error) {
          await present();
          throw error;
        } finally {
          await lock.release();
        }
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

export const messageOf = (error: unknown): string => {
  // Node tells of several addresses that were tried without a message of its own.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
};

function withoutPassword(url: string): string {
  if (!URL.canParse(url) || !/^postgres(?:ql)?:$/.test(new URL(url).protocol))
    throw new SweepError('The database is no address of a Postgres server. Expected postgres://user@host:5432/name.');
  const address = new URL(url);
  address.password = '';
  address.search = '';
  return address.href;
}
