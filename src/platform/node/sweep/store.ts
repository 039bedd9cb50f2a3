import { createHash } from 'node:crypto';
import { FormatError } from '../../../io/format-error.ts';
import { parseJson, shorten } from '../../../io/json.ts';
import { checkSweep, type SweepDefinition } from '../../../runs/sweep/definition.ts';
import type { PastFailure, Trial, TrialOutcome } from '../../../runs/sweep/trial.ts';
import { StoredCheckpoints } from './checkpoints.ts';
import type { Database } from './database.ts';
import { received, receivedName, receivedOutcome } from './received.ts';
import { SweepError } from './sweep-error.ts';
import { TABLES } from './tables.ts';

/** A result as it stands in the database. */
export interface StoredResult {
  readonly key: string;
  readonly outcome: TrialOutcome;
  readonly worker: string;
  readonly seconds: number;
}

/** What came of recording an outcome. */
export type Recorded =
  | 'first'
  | 'same again'
  | 'another than before'
  /** A failure of an attempt that was given up on: the trial has been given out again. */
  | 'too late';

/**
 * Sweeps, their trials and results in a database. Every change can be made twice without harm. Others can write the database: what is read from
 * it is checked, or it is a SweepError.
 */
export class SweepStore {
  /** Files of the runs under way. */
  readonly checkpoints: StoredCheckpoints;
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
    this.checkpoints = new StoredCheckpoints(database);
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
        `The sweep "${name}" has begun with another \`${changed[0]}\`. Expected another name, or that definition.`,
      );
  }

  /** The definition of a sweep; undefined where there is none. */
  async definition(name: string): Promise<SweepDefinition | undefined> {
    const [row] = await this.database.query<{ definition: string }>(
      'select definition from flipgrad.sweep where name = $1',
      [name],
    );
    if (!row) return undefined;
    return received(`the sweep ${shorten(name)}`, () => {
      const definition = checkSweep(parseJson(row.definition, 'Its definition'), name);
      if (definition.name === name) return definition;
      throw new FormatError(`Its definition is that of ${shorten(definition.name)}.`);
    });
  }

  /** Names of the sweeps, the oldest first. */
  async names({ unfinished = false } = {}): Promise<string[]> {
    const [{ found }] = await this.database.query<{ found: string | null }>(
      "select to_regclass('flipgrad.sweep')::text as found",
    );
    if (found === null) return [];
    const rows = await this.database.query<{ name: string }>(
      'select name from flipgrad.sweep where not ($1 and complete) order by created, name',
      [unfinished],
    );
    return rows.map(({ name }) => receivedName(name));
  }

  async isComplete(sweep: string): Promise<boolean> {
    const [row] = await this.database.query<{ complete: boolean }>(
      'select complete from flipgrad.sweep where name = $1',
      [sweep],
    );
    return row?.complete ?? true;
  }

  /**
   * Notes that a sweep is complete; checkpoints are not needed any more.
   * @param retries how often failed trials had been given out again when that was found
   * @returns false where they were once more since: then it is not complete
   */
  async finish(sweep: string, retries: number): Promise<boolean> {
    const rows = await this.database.query(
      'update flipgrad.sweep set complete = true where name = $1 and retries = $2 returning 1',
      [sweep, retries],
    );
    if (rows.length === 0) return false;
    await this.database.query('delete from flipgrad.checkpoint where sweep = $1', [sweep]);
    return true;
  }

  /**
   * Notes trials that are asked for.
   * @param by the plan that asks: how many trials it has, and how often failed ones had been given out again when it was made
   * @returns which attempt each trial is at, by key; undefined where failed trials were given out again since, so that another plan is wanted
   */
  async addTrials(
    sweep: string,
    trials: readonly Trial[],
    { asked, retries }: { asked: number; retries: number },
  ): Promise<ReadonlyMap<string, number> | undefined> {
    const keys = trials.map(({ key }) => key);
    const fence = await this.database.query(
      `with fence as (
         update flipgrad.sweep set asked = greatest(asked, $4) where name = $1 and retries = $5 returning 1
       ), added as (
         insert into flipgrad.trial (sweep, key, trial)
         select $1, key, trial from fence, unnest($2::text[], $3::text[]) as given (key, trial) on conflict do nothing
       ) select 1 from fence`,
      [sweep, keys, trials.map((trial) => JSON.stringify(trial)), asked, retries],
    );
    if (fence.length === 0) return undefined;
    const rows = await this.database.query<{ key: string; attempt: number }>(
      'select key, attempt from flipgrad.trial where sweep = $1 and key = any($2)',
      [sweep, keys],
    );
    return new Map(rows.map(({ key, attempt }) => [key, attempt]));
  }

  /**
   * Takes the failures of trials back, into the record of past ones: the trials are at their next attempt.
   * @param by the state that the caller has seen: trials asked for, and how often failed ones were given out again
   * @returns false if the sweep has left that state; then nothing is changed
   */
  async takeBack(
    sweep: string,
    keys: readonly string[],
    { asked, retries }: { asked: number; retries: number },
  ): Promise<boolean> {
    // Trials are locked before their results go: record() waits for one and then sees the other gone.
    const fence = await this.database.query(
      `with fence as (
         update flipgrad.sweep set retries = retries + 1, complete = false
         where name = $1 and retries = $3 and asked <= $4 returning 1
       ), again as (
         update flipgrad.trial set attempt = attempt + 1, crashes = 0 from fence
         where sweep = $1 and key = any($2) returning key, attempt - 1 as attempt
       ), gone as (
         delete from flipgrad.result using again where result.sweep = $1 and result.key = again.key
         returning result.key, attempt, outcome, worker, finished
       ), noted as (
         insert into flipgrad.failure (sweep, key, attempt, outcome, worker, finished)
         select $1, key, attempt, outcome, worker, finished from gone
       ) select 1 from fence`,
      [sweep, keys, retries, asked],
    );
    return fence.length > 0;
  }

  /** Failures that were taken back, the oldest first. */
  async failures(sweep: string): Promise<PastFailure[]> {
    const rows = await this.database.query<{
      key: string;
      attempt: number;
      outcome: string;
      worker: string;
      finished: Date;
    }>('select key, attempt, outcome, worker, finished from flipgrad.failure where sweep = $1 order by finished, key', [
      sweep,
    ]);
    return rows.map(({ key, attempt, outcome, worker, finished }) => {
      const read = receivedOutcome(outcome, key);
      const reason = read.state === 'failed' ? read.reason : 'It did not fail';
      return { key, attempt, reason, worker, at: finished.toISOString() };
    });
  }

  /** How many trials there are, how many results, and how often failed trials were given out again. */
  async counts(sweep: string): Promise<{ trials: number; results: number; retries: number }> {
    const [{ trials, results, retries }] = await this.database.query<{
      trials: string;
      results: string;
      retries: number | null;
    }>(
      `select (select count(*) from flipgrad.trial where sweep = $1) as trials,
              (select count(*) from flipgrad.result where sweep = $1) as results,
              (select retries from flipgrad.sweep where name = $1) as retries`,
      [sweep],
    );
    return { trials: Number(trials), results: Number(results), retries: retries ?? 0 };
  }

  /** Is a trial at that attempt, and without a result? */
  async isOpen(sweep: string, key: string, attempt: number): Promise<boolean> {
    const rows = await this.database.query(
      `select 1 from flipgrad.trial left join flipgrad.result using (sweep, key)
       where sweep = $1 and key = $2 and attempt = $3 and outcome is null`,
      [sweep, key, attempt],
    );
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
        outcome: receivedOutcome(outcome, key),
        worker,
        seconds,
      })),
      last: Number(rows.at(-1)?.number ?? after),
    };
  }

  /**
   * Records an outcome, once: another worker's that came before stays, and is compared. A result counts whichever attempt it comes from, a
   * failure only when the trial is still at that attempt.
   */
  async record(
    sweep: string,
    key: string,
    outcome: TrialOutcome,
    { worker, seconds, attempt }: { worker: string; seconds: number; attempt: number },
  ): Promise<Recorded> {
    const text = JSON.stringify(outcome);
    const digest = createHash('sha256').update(text).digest('hex');
    const failed = outcome.state === 'failed';
    // Again where the failure that stood in the way has just been taken back.
    for (let stands: string | null = null; stands === null; ) {
      const inserted = await this.database.query(
        `insert into flipgrad.result (sweep, key, outcome, digest, worker, seconds)
         select sweep, key, $3::text, $4::text, $5::text, $6::float8 from flipgrad.trial
         where sweep = $1 and key = $2 and (not $7::boolean or attempt = $8::integer) for share
         on conflict (sweep, key) do nothing returning 1`,
        [sweep, key, text, digest, worker, seconds, failed, attempt],
      );
      if (inserted.length > 0) return 'first';
      const [now] = await this.database.query<{ digest: string | null; attempt: number }>(
        `select digest, attempt from flipgrad.trial left join flipgrad.result using (sweep, key)
         where sweep = $1 and key = $2`,
        [sweep, key],
      );
      if (failed && now.attempt !== attempt) return 'too late';
      if (now.digest === digest) return 'same again';
      stands = now.digest;
    }
    await this.database.query('insert into flipgrad.dispute (sweep, key, outcome, worker) values ($1, $2, $3, $4)', [
      sweep,
      key,
      text,
      worker,
    ]);
    return 'another than before';
  }

  /** Trials that two workers did with different outcomes, who had another than the one that counts. */
  async disputes(sweep: string): Promise<{ key: string; worker: string }[]> {
    return this.database.query(
      `select key, dispute.worker from flipgrad.dispute join flipgrad.result using (sweep, key)
       where sweep = $1 and dispute.outcome <> result.outcome order by at`,
      [sweep],
    );
  }

  /** Counts a crash of a trial's program. @returns how many there were in that attempt; 0 where it is not the trial's last */
  async countCrash(sweep: string, key: string, attempt: number): Promise<number> {
    const [row] = await this.database.query<{ crashes: number }>(
      'update flipgrad.trial set crashes = crashes + 1 where sweep = $1 and key = $2 and attempt = $3 returning crashes',
      [sweep, key, attempt],
    );
    return row?.crashes ?? 0;
  }
}
