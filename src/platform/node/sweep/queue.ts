import { createHash } from 'node:crypto';
import { checkTrial, type Trial } from '../../../runs/sweep/trial.ts';
import { type Database, messageOf } from './database.ts';
import { received } from './received.ts';
import { needed, SweepError } from './sweep-error.ts';

const SCHEMA = 'flipgrad_queue';
/** A trial is given up after this many of its workers have died. */
const RETRIES = 100;
/** pg-boss's longest: then the trial goes on from its checkpoint, under a new claim. */
const EXPIRES = 23 * 3600;
/** Scans for dead workers: LOOKS a lease at most, and at least LEAST_LOOK seconds apart. */
const LOOKS = 6;
const LEAST_LOOK = 3;
const CHUNK = 1000;

/** A trial that this process has claimed; the claim holds while it is renewed. */
export interface Claim {
  readonly sweep: string;
  readonly trial: Trial;
  /** Which attempt at the trial: 1, and one more each time that it failed and was given out again. */
  readonly attempt: number;
  /** Claims of this attempt before this one. */
  readonly attempts: number;
  /** Silence after which the claim is lost, in seconds. */
  readonly lease: number;
  /** Says that this process is alive. @returns is the claim still its own? */
  renew(): Promise<boolean>;
  /** Ends the claim: the trial has its result. */
  complete(): Promise<void>;
  /** Gives the trial back, for another claim. */
  release(reason: string): Promise<void>;
}

/** What pg-boss keeps of a trial; without a number it is the first attempt. */
type Job = Trial & { readonly attempt?: number };

export interface QueueOptions {
  /** Silence after which a worker counts as dead, in seconds, 10 at least; default 60. */
  readonly lease?: number;
}

/** Trials that wait for a worker, in pg-boss on a database: a queue for each sweep, and one for its trials that are given up. */
export class TrialQueue {
  private readonly boss: InstanceType<typeof import('pg-boss')['PgBoss']>;
  private readonly lease: number;

  private constructor(boss: TrialQueue['boss'], lease: number) {
    this.boss = boss;
    this.lease = lease;
  }

  /**
   * @param setUp may tables be made? One process of a sweep does it
   * @throws SweepError where there are none and they may not be made
   */
  static async open(database: Database, setUp: boolean, { lease = 60 }: QueueOptions = {}): Promise<TrialQueue> {
    const { PgBoss } = await needed('pg-boss', () => import('pg-boss'));
    const boss = new PgBoss({
      db: database.raw,
      schema: SCHEMA,
      backend: database.embedded ? 'pglite' : 'postgres',
      migrate: setUp,
      createSchema: setUp,
      // Workers that have nothing to do look for silent ones; no timers of its own, or each of a thousand would have them.
      supervise: false,
      schedule: false,
      monitorIntervalSeconds: Math.max(LEAST_LOOK, Math.round(lease / LOOKS)),
      monitorVacuum: false,
    });
    boss.on('error', () => {});
    try {
      await boss.start();
    } catch (error) {
      if (setUp) throw error;
      throw new SweepError(
        `${database.name} has no sweep yet (${messageOf(error)}); flipgrad sweep FILE.ts --db … begins one.`,
      );
    }
    return new TrialQueue(boss, lease);
  }

  /** Makes a sweep's queue where there is none. */
  async create(sweep: string): Promise<void> {
    // Failed and waiting jobs stay: a sweep may rest for months.
    const keep = { deleteAfterSeconds: 0, retentionSeconds: 10 * 365 * 24 * 3600 };
    await this.boss.createQueue(deadOf(sweep), keep);
    await this.boss.createQueue(queueOf(sweep), {
      ...keep,
      deadLetter: deadOf(sweep),
      retryLimit: RETRIES,
      retryDelay: 0,
      expireInSeconds: EXPIRES,
      heartbeatSeconds: this.lease,
    });
    await this.boss.updateQueue(queueOf(sweep), { heartbeatSeconds: this.lease });
  }

  /**
   * Puts trials into the queue; those that have been there are left out.
   * @param attempts which attempt each is, by key; the first where there is none
   */
  async add(sweep: string, trials: readonly Trial[], attempts: ReadonlyMap<string, number> = new Map()): Promise<void> {
    for (let i = 0; i < trials.length; i += CHUNK)
      await this.boss.insert(
        queueOf(sweep),
        trials.slice(i, i + CHUNK).map((trial) => {
          const attempt = attempts.get(trial.key) ?? 1;
          return { id: idOf(sweep, trial.key, attempt), data: { ...trial, attempt } satisfies Job };
        }),
      );
  }

  /** Claims a trial; undefined where none waits. @throws SweepError when it is none that flipgrad has put in */
  async claim(sweep: string): Promise<Claim | undefined> {
    const name = queueOf(sweep);
    const [job] = await this.boss.fetch<Job>(name);
    if (!job) return undefined;
    const { boss } = this;
    const { attempt = 1 } = job.data;
    const trial = received('a trial', () => checkTrial(job.data));
    const own = { id: job.id, retryCount: job.retryCount };
    return {
      sweep,
      trial,
      attempt,
      attempts: job.retryCount,
      lease: job.heartbeatSeconds ?? this.lease,
      renew: async () => affected(await boss.touch(name, own)) > 0,
      complete: async () => void (await boss.complete(name, own)),
      release: async (reason) => void (await boss.fail(name, own, { reason })),
    };
  }

  /** Gives trials back whose workers have been silent for the lease. Cheap: one of all that ask does it, every few seconds. */
  async recover(sweep: string): Promise<void> {
    await this.boss.supervise(queueOf(sweep));
  }

  /** Gives all claimed trials back: for a database that no other process can have. */
  async recoverAll(sweep: string): Promise<void> {
    const jobs = (await this.boss.findJobs<Job>(queueOf(sweep))).filter(({ state }) => state === 'active');
    if (jobs.length > 0)
      await this.boss.fail(
        queueOf(sweep),
        jobs.map(({ id }) => id),
        { reason: 'its worker died' },
      );
  }

  /** Trials that are given up, after far too many workers died of them. They stay until they are dropped. */
  async dead(sweep: string): Promise<{ key: string; attempt: number; drop: () => Promise<void> }[]> {
    const jobs = await this.boss.fetch<Job>(deadOf(sweep), { batchSize: 100 });
    return jobs.map(({ id, data: { key, attempt = 1 } }) => ({
      key,
      attempt,
      drop: async () => void (await this.boss.complete(deadOf(sweep), id)),
    }));
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false, close: false });
  }
}

const queueOf = (sweep: string): string => `sweep-${sweep}`;
const deadOf = (sweep: string): string => `sweep-${sweep}.dead`;
const affected = (answer: unknown): number => (answer as { affected: number }).affected;

/** A job's number is a function of its trial and attempt, so that none is ever queued twice. A UUID of version 8 (RFC 9562). */
function idOf(sweep: string, key: string, attempt: number): string {
  const hex = createHash('sha256')
    .update(JSON.stringify(attempt === 1 ? [sweep, key] : [sweep, key, attempt]))
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
