import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type FolderLock, NonFiniteError } from '../../src/index.ts';
import { makeFolders, provenance } from '../../src/platform/node/index.ts';
import {
  type Experiment,
  type Finished,
  type FormName,
  formOf,
  type Report,
  seedsOf,
  suffixOf,
  type Trial,
} from './experiment.ts';
import { factsOf, renderMarkdown, renderPage } from './report-page.ts';
import { TrialLocks } from './trial-locks.ts';
import { appendTrial, readTrials, writeWhole } from './trial-records.ts';

export interface ReproduceOptions {
  readonly form: FormName;
  /** Default: as many as the form has. */
  readonly seeds?: number;
  /** Folder of records and reports; made when it is not there. */
  readonly out: string;
  readonly signal: AbortSignal;
}

export type ReproduceEvent =
  /** Before the first trial. Minutes are the file's estimate for the trials that are left. */
  | { readonly event: 'plan'; readonly trials: number; readonly left: number; readonly minutes: number }
  /** Share of all that was left, and seconds to go by the pace so far. */
  | { readonly event: 'progress'; readonly trial: string; readonly share: number; readonly secondsLeft: number }
  /** All trials that are left are run by other processes on the same folder. */
  | { readonly event: 'waiting'; readonly trials: readonly string[] }
  | { readonly event: 'trial'; readonly trial: string; readonly seconds: number; readonly done: number }
  /** Its training left the finite numbers: it has no record, the others go on. */
  | { readonly event: 'failed'; readonly trial: string; readonly message: string }
  | {
      readonly event: 'result';
      readonly report: Report;
      readonly files: readonly string[];
      /** Trials without a result: what failed, and what waits for that. */
      readonly missing: number;
    };

/** Where the records of an experiment stand: every form has its own file. */
export const recordsOf = (name: string, { form, out }: Pick<ReproduceOptions, 'form' | 'out'>): string =>
  join(out, `${name}${suffixOf(form)}.jsonl`);

/** Milliseconds between two looks at what other processes have finished. */
const PATIENCE = 500;

/**
 * Runs the trials of an experiment that have no record yet, appends a record as each finishes, and renders all of them as a table
 * (Markdown) and a self-contained page (HTML). Several processes on one folder share the trials. A trial whose numbers stop being finite
 * is told and left out; it is tried again by the next call.
 * @throws the signal's reason when it is aborted: finished trials are kept
 */
export async function reproduce<C extends Trial, R>(
  experiment: Experiment<C, R>,
  options: ReproduceOptions,
  onEvent: (event: ReproduceEvent) => void,
): Promise<Report> {
  const made = makeFolder(options.out);
  const grid = new Grid(experiment, options, onEvent);
  await grid.run().catch(async (error) => {
    // Nothing is left of what could not begin; a folder that holds something stays.
    if (made) await rmdir(options.out).catch(() => {});
    throw error;
  });
  const { file, seeds } = grid;
  const finished = grid.finished();
  const report = experiment.report(finished);
  const files = [file, file.replace(/jsonl$/, 'md'), file.replace(/jsonl$/, 'html')];
  const missing = grid.size - finished.length;
  const facts = factsOf(finished, { form: options.form, seeds, missing, why: grid.failures() });
  writeWhole(files[1], renderMarkdown(experiment, report, facts));
  writeWhole(files[2], renderPage(experiment, report, facts));
  onEvent({ event: 'result', report, files, missing });
  return report;
}

/** @returns was there none? @throws RangeError for a path where no folder can be */
function makeFolder(path: string): boolean {
  try {
    return makeFolders(path) !== undefined;
  } catch (error) {
    throw new RangeError(`Records cannot stand in "${path}" (${(error as Error).message}). Expected another folder.`);
  }
}

/** The trials of a form under way. */
class Grid<C extends Trial, R> {
  readonly file: string;
  readonly seeds: number;
  private readonly experiment: Experiment<C, R>;
  private readonly signal: AbortSignal;
  private readonly onEvent: (event: ReproduceEvent) => void;
  private readonly trials: readonly C[];
  private readonly locks: TrialLocks;
  private readonly known = new Map<string, Finished<C, R>>();
  /** What this process could not finish, and what it said. */
  private readonly failed = new Map<C, string>();
  private readonly origin: { node: string; commit?: string };
  private readonly start = performance.now();
  /** Estimated minutes of what was left at the start. */
  private readonly minutes: number;
  /** The last share that was told; rounding must not lower it. */
  private share = 0;

  constructor(experiment: Experiment<C, R>, options: ReproduceOptions, onEvent: (event: ReproduceEvent) => void) {
    const form = formOf(experiment, options.form);
    this.experiment = experiment;
    this.signal = options.signal;
    this.onEvent = onEvent;
    this.seeds = options.seeds ?? form.seeds;
    this.trials = form.trials(seedsOf(form, this.seeds));
    this.file = recordsOf(experiment.name, options);
    this.locks = new TrialLocks(`${this.file}.locks`);
    const { versions, commit } = provenance();
    this.origin = { node: versions.node, ...(commit !== undefined && { commit }) };
    this.look();
    this.minutes = this.minutesLeft();
  }

  get size(): number {
    return this.trials.length;
  }

  failures(): string[] {
    return [...this.failed].map(([trial, message]) => `${this.experiment.nameOf(trial)}: ${message}`);
  }

  /** Records of the form's trials, in its order. */
  finished(): Finished<C, R>[] {
    return this.trials.flatMap((trial) => this.known.get(JSON.stringify(trial)) ?? []);
  }

  async run(): Promise<void> {
    this.onEvent({ event: 'plan', trials: this.trials.length, left: this.left().length, minutes: this.minutes });
    let waiting = '';
    while (this.left().length > 0) {
      const ran = await this.round();
      if (ran === 'nothing is ready') return;
      const left = this.left().map((trial) => this.experiment.nameOf(trial));
      if (ran || left.length === 0) continue;
      if (left.join() !== waiting) this.onEvent({ event: 'waiting', trials: left });
      waiting = left.join();
      await setTimeout(PATIENCE);
      this.look();
    }
  }

  /** Runs every trial that is ready and that no other process runs. @returns whether there was one; what is left may wait for what failed */
  private async round(): Promise<boolean | 'nothing is ready'> {
    let [ran, held] = [false, false];
    for (const trial of this.left()) {
      this.signal.throwIfAborted();
      if (!this.isReady(trial)) continue;
      const lock = await this.locks.take(JSON.stringify(trial));
      held ||= !lock;
      if (!lock) continue;
      try {
        // Another process may have finished it before the lock was free.
        this.look();
        if (this.left().includes(trial)) await this.runTrial(trial, lock);
      } finally {
        await lock.release();
      }
      ran = true;
    }
    if (!ran && !held && this.failed.size > 0) return 'nothing is ready';
    if (!ran && !held)
      throw new Error(`No trial of "${this.experiment.name}" is ready: those that are left wait for each other.`);
    return ran;
  }

  private async runTrial(trial: C, lock: FolderLock): Promise<void> {
    const { experiment, onEvent } = this;
    const began = performance.now();
    const name = experiment.nameOf(trial);
    const before = this.minutes - this.minutesLeft();
    const onProgress = (share: number): void => {
      const done = Math.max(this.share, Math.min(1, (before + share * experiment.minutesOf(trial)) / this.minutes));
      this.share = done;
      const seconds = (performance.now() - this.start) / 1000;
      const secondsLeft = done > 0 ? (seconds * (1 - done)) / done : 60 * this.minutes;
      onEvent({ event: 'progress', trial: name, share: done, secondsLeft });
    };
    onProgress(0);
    const signal = AbortSignal.any([this.signal, lock.lost]);
    const result = await experiment.run(trial, { signal, onProgress, finished: this.finished() }).catch((error) => {
      if (!(error instanceof NonFiniteError)) throw error;
      this.failed.set(trial, error.message);
      onEvent({ event: 'failed', trial: name, message: error.message });
    });
    if (result === undefined) return;
    const seconds = (performance.now() - began) / 1000;
    await this.locks.alone('records', () => appendTrial(this.file, { trial, result, seconds, ...this.origin }));
    this.look();
    onEvent({ event: 'trial', trial: name, seconds, done: this.finished().length });
  }

  /** Reads what has been finished, here and by other processes. */
  private look(): void {
    for (const record of readTrials<Finished<C, R>>(this.file)) this.known.set(JSON.stringify(record.trial), record);
  }

  private left(): C[] {
    return this.trials.filter((trial) => !this.known.has(JSON.stringify(trial)) && !this.failed.has(trial));
  }

  private minutesLeft(): number {
    return this.left().reduce((sum, trial) => sum + this.experiment.minutesOf(trial), 0);
  }

  private isReady(trial: C): boolean {
    return this.experiment.ready?.(trial, this.finished()) ?? true;
  }
}
