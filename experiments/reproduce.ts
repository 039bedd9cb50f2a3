import { mkdirSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type FolderLock, NonFiniteError } from '../src/index.ts';
import { provenance } from '../src/platform/node/index.ts';
import { CellLocks } from './cell-locks.ts';
import { appendCell, readCells, writeWhole } from './cell-records.ts';
import type { Cell, Experiment, Finished, Report } from './experiment.ts';
import { type ReportFacts, renderMarkdown, renderPage } from './report-page.ts';

export interface ReproduceOptions {
  readonly quick: boolean;
  /** Default: as many as the form has. */
  readonly seeds?: number;
  /** Folder of records and reports; made when it is not there. */
  readonly out: string;
  readonly signal: AbortSignal;
}

export type ReproduceEvent =
  /** Before the first cell. Minutes are the file's estimate for the cells that are left. */
  | { readonly event: 'plan'; readonly cells: number; readonly left: number; readonly minutes: number }
  /** Share of all that was left, and seconds to go by the pace so far. */
  | { readonly event: 'progress'; readonly cell: string; readonly share: number; readonly secondsLeft: number }
  /** All cells that are left are run by other processes on the same folder. */
  | { readonly event: 'waiting'; readonly cells: readonly string[] }
  | { readonly event: 'cell'; readonly cell: string; readonly seconds: number; readonly done: number }
  /** Its training left the finite numbers: it has no record, the others go on. */
  | { readonly event: 'failed'; readonly cell: string; readonly message: string }
  | {
      readonly event: 'result';
      readonly report: Report;
      readonly files: readonly string[];
      /** Cells without a result: what failed, and what waits for that. */
      readonly missing: number;
    };

/** Where the records of an experiment stand: the quick form has its own file. */
export const recordsOf = (name: string, { quick, out }: Pick<ReproduceOptions, 'quick' | 'out'>): string =>
  join(out, `${name}${quick ? '-quick' : ''}.jsonl`);

/** Milliseconds between two looks at what other processes have finished. */
const PATIENCE = 500;

/**
 * Runs the cells of an experiment that have no record yet, appends a record as each finishes, and renders all of them as a table
 * (Markdown) and a self-contained page (HTML). Several processes on one folder share the cells. A cell whose numbers stop being finite
 * is told and left out; it is tried again by the next call.
 * @throws the signal's reason when it is aborted: finished cells are kept
 */
export async function reproduce<C extends Cell, R>(
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
  const facts: ReportFacts = {
    quick: options.quick,
    seeds,
    seconds: finished.reduce((sum, record) => sum + record.seconds, 0),
    missing,
    why: grid.failures(),
    commits: distinct(finished.map(({ commit }) => commit)),
    engines: distinct(finished.map(({ result }) => (result as { engine?: string }).engine)),
  };
  writeWhole(files[1], renderMarkdown(experiment, report, facts));
  writeWhole(files[2], renderPage(experiment, report, facts));
  onEvent({ event: 'result', report, files, missing });
  return report;
}

/** @returns was there none? @throws RangeError for a path where no folder can be */
function makeFolder(path: string): boolean {
  try {
    return mkdirSync(path, { recursive: true }) !== undefined;
  } catch (error) {
    throw new RangeError(`Records cannot stand in "${path}" (${(error as Error).message}). Expected another folder.`);
  }
}

const distinct = (values: readonly (string | undefined)[]): string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];

/** The cells of a form under way. */
class Grid<C extends Cell, R> {
  readonly file: string;
  readonly seeds: number;
  private readonly experiment: Experiment<C, R>;
  private readonly signal: AbortSignal;
  private readonly onEvent: (event: ReproduceEvent) => void;
  private readonly cells: readonly C[];
  private readonly locks: CellLocks;
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
    const form = options.quick ? experiment.quick : experiment.full;
    this.experiment = experiment;
    this.signal = options.signal;
    this.onEvent = onEvent;
    this.seeds = options.seeds ?? form.seeds;
    this.cells = form.cells(Array.from({ length: this.seeds }, (_, i) => i + 1));
    this.file = recordsOf(experiment.name, options);
    this.locks = new CellLocks(`${this.file}.locks`);
    const { versions, commit } = provenance();
    this.origin = { node: versions.node, ...(commit !== undefined && { commit }) };
    this.look();
    this.minutes = this.minutesLeft();
  }

  get size(): number {
    return this.cells.length;
  }

  failures(): string[] {
    return [...this.failed].map(([cell, message]) => `${this.experiment.nameOf(cell)}: ${message}`);
  }

  /** Records of the form's cells, in its order. */
  finished(): Finished<C, R>[] {
    return this.cells.flatMap((cell) => this.known.get(JSON.stringify(cell)) ?? []);
  }

  async run(): Promise<void> {
    this.onEvent({ event: 'plan', cells: this.cells.length, left: this.left().length, minutes: this.minutes });
    let waiting = '';
    while (this.left().length > 0) {
      const ran = await this.round();
      if (ran === 'nothing is ready') return;
      const left = this.left().map((cell) => this.experiment.nameOf(cell));
      if (ran || left.length === 0) continue;
      if (left.join() !== waiting) this.onEvent({ event: 'waiting', cells: left });
      waiting = left.join();
      await setTimeout(PATIENCE);
      this.look();
    }
  }

  /** Runs every cell that is ready and that no other process runs. @returns whether there was one; what is left may wait for what failed */
  private async round(): Promise<boolean | 'nothing is ready'> {
    let [ran, held] = [false, false];
    for (const cell of this.left()) {
      this.signal.throwIfAborted();
      if (!this.isReady(cell)) continue;
      const lock = await this.locks.take(JSON.stringify(cell));
      held ||= !lock;
      if (!lock) continue;
      try {
        // Another process may have finished it before the lock was free.
        this.look();
        if (this.left().includes(cell)) await this.runCell(cell, lock);
      } finally {
        await lock.release();
      }
      ran = true;
    }
    if (!ran && !held && this.failed.size > 0) return 'nothing is ready';
    if (!ran && !held)
      throw new Error(`No cell of "${this.experiment.name}" is ready: those that are left wait for each other.`);
    return ran;
  }

  private async runCell(cell: C, lock: FolderLock): Promise<void> {
    const { experiment, onEvent } = this;
    const began = performance.now();
    const name = experiment.nameOf(cell);
    const before = this.minutes - this.minutesLeft();
    const onProgress = (share: number): void => {
      const done = Math.max(this.share, Math.min(1, (before + share * experiment.minutesOf(cell)) / this.minutes));
      this.share = done;
      const seconds = (performance.now() - this.start) / 1000;
      const secondsLeft = done > 0 ? (seconds * (1 - done)) / done : 60 * this.minutes;
      onEvent({ event: 'progress', cell: name, share: done, secondsLeft });
    };
    onProgress(0);
    const signal = AbortSignal.any([this.signal, lock.lost]);
    const result = await experiment.run(cell, { signal, onProgress, finished: this.finished() }).catch((error) => {
      if (!(error instanceof NonFiniteError)) throw error;
      this.failed.set(cell, error.message);
      onEvent({ event: 'failed', cell: name, message: error.message });
    });
    if (result === undefined) return;
    const seconds = (performance.now() - began) / 1000;
    await this.locks.alone('records', () => appendCell(this.file, { cell, result, seconds, ...this.origin }));
    this.look();
    onEvent({ event: 'cell', cell: name, seconds, done: this.finished().length });
  }

  /** Reads what has been finished, here and by other processes. */
  private look(): void {
    for (const record of readCells<Finished<C, R>>(this.file)) this.known.set(JSON.stringify(record.cell), record);
  }

  private left(): C[] {
    return this.cells.filter((cell) => !this.known.has(JSON.stringify(cell)) && !this.failed.has(cell));
  }

  private minutesLeft(): number {
    return this.left().reduce((sum, cell) => sum + this.experiment.minutesOf(cell), 0);
  }

  private isReady(cell: C): boolean {
    return this.experiment.ready?.(cell, this.finished()) ?? true;
  }
}
