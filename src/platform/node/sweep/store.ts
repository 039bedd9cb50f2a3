import { createHash } from 'node:crypto';
import type { SweepDefinition } from '../../../runs/sweep/definition.ts';
import type { Trial, TrialOutcome } from '../../../runs/sweep/trial.ts';
import type { Database } from './database.ts';
import { SweepError } from './sweep-error.ts';

/** A lock's number for those who make the tables; any number that nobody else takes. */
const SETUP_LOCK = 20131123;

/** JSON stands as text, so that the order of fields stays: it is the order of a grid. */
const TABLES = `
begin;
select pg_advisory_xact_lock(${SETUP_LOCK});
create schema if not exists flipgrad;
create table if not exists flipgrad.sweep (
  name text primary key,
  definition text not null,
  complete boolean not null default false,
  created timestamptz not null default now()
);
create table if not exists flipgrad.trial (
  sweep text not null references flipgrad.sweep on delete cascade,
  key text not null,
  trial text not null,
  crashes integer not null default 0,
  primary key (sweep, key)
);
create table if not exists flipgrad.result (
  sweep text not null,
  key text not null,
  outcome text not null,
  digest text not null,
  worker text not null,
  seconds double precision not null,
  finished timestamptz not null default now(),
  number bigserial,
  primary key (sweep, key),
  foreign key (sweep, key) references flipgrad.trial on delete cascade
);
create index if not exists result_number on flipgrad.result (sweep, number);
create table if not exists flipgrad.dispute (
  sweep text not null,
  key text not null,
  outcome text not null,
  worker text not null,
  at timestamptz not null default now(),
  foreign key (sweep, key) references flipgrad.trial on delete cascade
);
create table if not exists flipgrad.checkpoint (
  sweep text not null references flipgrad.sweep on delete cascade,
  run text not null,
  checkpoint text not null,
  file text not null,
  bytes bytea not null,
  primary key (sweep, run, checkpoint, file)
);
commit;`;

/** A result as it stands in the database. */
export interface StoredResult {
  readonly key: string;
  readonly outcome: TrialOutcome;
  readonly worker: string;
  readonly seconds: number;
}

/** What came of recording an outcome. */
export type Recorded = 'first' | 'same again' | 'another than before';

/** Sweeps, their trials and results in a database. Every change can be made twice without harm. */
export class SweepStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /** Makes the tables where there are none. */
  async create(): Promise<void> {
    await this.database.raw.executeSql(TABLES);
  }

  /** Notes a sweep. @throws SweepError when one of that name has another definition */
  async register(definition: SweepDefinition): Promise<void> {
    const { name } = definition;
    await this.database.query('insert into flipgrad.sweep (name, definition) values ($1, $2) on conflict do nothing', [
      name,
      JSON.stringify(definition),
    ]);
    const before = (await this.definition(name)) as SweepDefinition;
    const changed = Object.entries({ ...before, ...definition }).find(
      ([field]) =>
        JSON.stringify(before[field as keyof SweepDefinition]) !==
        JSON.stringify(definition[field as keyof SweepDefinition]),
    );
    if (changed)
      throw new SweepError(
        `The sweep "${name}" has begun with another \`${changed[0]}\`; another name, or that definition, would do.`,
      );
  }

  /** The definition of a sweep; undefined where there is none. */
  async definition(name: string): Promise<SweepDefinition | undefined> {
    const [row] = await this.database.query<{ definition: string }>(
      'select definition from flipgrad.sweep where name = $1',
      [name],
    );
    return row && (JSON.parse(row.definition) as SweepDefinition);
  }

  /** Names of the sweeps, the oldest first. @throws SweepError where no sweep ever was */
  async names({ unfinished = false } = {}): Promise<string[]> {
    const [{ found }] = await this.database.query<{ found: string | null }>(
      "select to_regclass('flipgrad.sweep')::text as found",
    );
    if (found === null) return [];
    const rows = await this.database.query<{ name: string }>(
      'select name from flipgrad.sweep where not ($1 and complete) order by created, name',
      [unfinished],
    );
    return rows.map(({ name }) => name);
  }

  async isComplete(sweep: string): Promise<boolean> {
    const [row] = await this.database.query<{ complete: boolean }>(
      'select complete from flipgrad.sweep where name = $1',
      [sweep],
    );
    return row?.complete ?? true;
  }

  /** Notes that a sweep is complete; checkpoints are not needed any more. */
  async finish(sweep: string): Promise<void> {
    await this.database.query('update flipgrad.sweep set complete = true where name = $1 and not complete', [sweep]);
    await this.database.query('delete from flipgrad.checkpoint where sweep = $1', [sweep]);
  }

  /** Notes trials that are asked for. */
  async addTrials(sweep: string, trials: readonly Trial[]): Promise<void> {
    await this.database.query(
      `insert into flipgrad.trial (sweep, key, trial)
       select $1, key, trial from unnest($2::text[], $3::text[]) as given (key, trial) on conflict do nothing`,
      [sweep, trials.map(({ key }) => key), trials.map((trial) => JSON.stringify(trial))],
    );
  }

  /** How many trials there are, and how many results. */
  async counts(sweep: string): Promise<{ trials: number; results: number }> {
    const [{ trials, results }] = await this.database.query<{ trials: string; results: string }>(
      `select (select count(*) from flipgrad.trial where sweep = $1) as trials,
              (select count(*) from flipgrad.result where sweep = $1) as results`,
      [sweep],
    );
    return { trials: Number(trials), results: Number(results) };
  }

  async hasResult(sweep: string, key: string): Promise<boolean> {
    const rows = await this.database.query('select 1 from flipgrad.result where sweep = $1 and key = $2', [sweep, key]);
    return rows.length > 0;
  }

  /** Results with a number over one, in order; what commits late has a smaller number than others, so that a count has to agree. */
  async results(sweep: string, after = 0): Promise<{ results: StoredResult[]; last: number }> {
    const rows = await this.database.query<{
      key: string;
      outcome: string;
      worker: string;
      seconds: number;
      number: string;
    }>(
      'select key, outcome, worker, seconds, number from flipgrad.result where sweep = $1 and number > $2 order by number',
      [sweep, after],
    );
    return {
      results: rows.map(({ key, outcome, worker, seconds }) => ({
        key,
        outcome: JSON.parse(outcome) as TrialOutcome,
        worker,
        seconds,
      })),
      last: Number(rows.at(-1)?.number ?? after),
    };
  }

  /** Records an outcome, once: another worker's that came before stays, and is compared. */
  async record(
    sweep: string,
    key: string,
    outcome: TrialOutcome,
    { worker, seconds }: { worker: string; seconds: number },
  ): Promise<Recorded> {
    const text = JSON.stringify(outcome);
    const digest = createHash('sha256').update(text).digest('hex');
    const values = [sweep, key, text, digest, worker, seconds];
    const inserted = await this.database.query(
      `insert into flipgrad.result (sweep, key, outcome, digest, worker, seconds)
       values ($1, $2, $3, $4, $5, $6) on conflict (sweep, key) do nothing returning 1`,
      values,
    );
    if (inserted.length > 0) return 'first';
    const [before] = await this.database.query<{ digest: string }>(
      'select digest from flipgrad.result where sweep = $1 and key = $2',
      [sweep, key],
    );
    if (before?.digest === digest) return 'same again';
    await this.database.query('insert into flipgrad.dispute (sweep, key, outcome, worker) values ($1, $2, $3, $4)', [
      sweep,
      key,
      text,
      worker,
    ]);
    return 'another than before';
  }

  /** Trials that two workers did with different outcomes. */
  async disputes(sweep: string): Promise<{ key: string; worker: string }[]> {
    return this.database.query('select key, worker from flipgrad.dispute where sweep = $1 order by at', [sweep]);
  }

  /** Counts a crash of a trial's program. @returns how many there were */
  async countCrash(sweep: string, key: string): Promise<number> {
    const [{ crashes }] = await this.database.query<{ crashes: number }>(
      'update flipgrad.trial set crashes = crashes + 1 where sweep = $1 and key = $2 returning crashes',
      [sweep, key],
    );
    return crashes;
  }

  /** Keeps a run's files at a checkpoint, and lets go of those of checkpoints before it. */
  async saveCheckpoint(
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
  async newestCheckpoint(sweep: string, run: string): Promise<string | undefined> {
    const [{ newest }] = await this.database.query<{ newest: string | null }>(
      'select max(checkpoint) as newest from flipgrad.checkpoint where sweep = $1 and run = $2',
      [sweep, run],
    );
    return newest ?? undefined;
  }

  /** The files of a checkpoint; none when it is gone. */
  async checkpointFiles(sweep: string, run: string, checkpoint: string): Promise<Record<string, Uint8Array>> {
    const rows = await this.database.query<{ file: string; bytes: Uint8Array }>(
      'select file, bytes from flipgrad.checkpoint where sweep = $1 and run = $2 and checkpoint = $3',
      [sweep, run, checkpoint],
    );
    return Object.fromEntries(rows.map(({ file, bytes }) => [file, bytes]));
  }

  async dropCheckpoints(sweep: string, run: string): Promise<void> {
    await this.database.query('delete from flipgrad.checkpoint where sweep = $1 and run = $2', [sweep, run]);
  }
}
