import type { Database } from './database.ts';

/** Checkpoints of the runs of sweeps in a database, so that another worker can go on with a run. */
export class StoredCheckpoints {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** Keeps a run's files at a checkpoint, and lets go of those of checkpoints before it. */
  async save(
    sweep: string,
    run: string,
    checkpoint: string,
    files: Readonly<Record<string, Uint8Array>>,
  ): Promise<void> {
    // One statement: a checkpoint is there with all its files or not at all.
    await this.database.query(
      `insert into flipgrad.checkpoint (sweep, run, checkpoint, file, bytes)
       select $1, $2, $3, file, bytes from unnest($4::text[], $5::bytea[]) as given (file, bytes) on conflict do nothing`,
      [sweep, run, checkpoint, Object.keys(files), Object.values(files).map((bytes) => Buffer.from(bytes))],
    );
    await this.database.query('delete from flipgrad.checkpoint where sweep = $1 and run = $2 and checkpoint < $3', [
      sweep,
      run,
      checkpoint,
    ]);
  }

  /** The name of a run's newest checkpoint. */
  async newest(sweep: string, run: string): Promise<string | undefined> {
    const [{ newest }] = await this.database.query<{ newest: string | null }>(
      'select max(checkpoint) as newest from flipgrad.checkpoint where sweep = $1 and run = $2',
      [sweep, run],
    );
    return newest ?? undefined;
  }

  /** The files of a checkpoint; none when it is gone. */
  async files(sweep: string, run: string, checkpoint: string): Promise<Record<string, Uint8Array>> {
    const rows = await this.database.query<{ file: string; bytes: Uint8Array }>(
      'select file, bytes from flipgrad.checkpoint where sweep = $1 and run = $2 and checkpoint = $3',
      [sweep, run, checkpoint],
    );
    return Object.fromEntries(rows.map(({ file, bytes }) => [file, bytes]));
  }

  /** Lets go of all checkpoints of a run. */
  async drop(sweep: string, run: string): Promise<void> {
    await this.database.query('delete from flipgrad.checkpoint where sweep = $1 and run = $2', [sweep, run]);
  }
}
