import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { appendCell, readCells, writeWhole } from './cell-records.ts';
import type { Cell, Experiment, Finished, Report } from './experiment.ts';
import { renderMarkdown, renderPage } from './report-page.ts';

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
  | { readonly event: 'cell'; readonly cell: string; readonly seconds: number; readonly done: number }
  | { readonly event: 'result'; readonly report: Report; readonly files: readonly string[] };

/** Where the records of an experiment stand: the quick form has its own file. */
export const recordsOf = (name: string, { quick, out }: Pick<ReproduceOptions, 'quick' | 'out'>): string =>
  join(out, `${name}${quick ? '-quick' : ''}.jsonl`);

/**
 * Runs the cells of an experiment that have no record yet, appends a record as each finishes, and renders all of them as a table
 * (Markdown) and a self-contained page (HTML).
 * @throws the signal's reason when it is aborted: finished cells are kept
 */
export async function reproduce<C extends Cell, R>(
  experiment: Experiment<C, R>,
  options: ReproduceOptions,
  onEvent: (event: ReproduceEvent) => void,
): Promise<Report> {
  const { quick, out, signal } = options;
  const form = quick ? experiment.quick : experiment.full;
  const seeds = Array.from({ length: options.seeds ?? form.seeds }, (_, i) => i + 1);
  const cells = form.cells(seeds);
  mkdirSync(out, { recursive: true });
  const file = recordsOf(experiment.name, options);
  const known = new Map(readCells<Finished<C, R>>(file).map((record) => [JSON.stringify(record.cell), record]));
  const finishedCells = () => cells.flatMap((cell) => known.get(JSON.stringify(cell)) ?? []);
  const left = cells.filter((cell) => !known.has(JSON.stringify(cell)));
  const minutes = left.reduce((sum, cell) => sum + experiment.minutesOf(cell), 0);
  onEvent({ event: 'plan', cells: cells.length, left: left.length, minutes });
  const start = performance.now();
  let before = 0;
  for (const [i, cell] of left.entries()) {
    signal.throwIfAborted();
    const began = performance.now();
    const name = experiment.nameOf(cell);
    const own = experiment.minutesOf(cell);
    const onProgress = (share: number): void => {
      const done = (before + share * own) / minutes;
      const seconds = (performance.now() - start) / 1000;
      const secondsLeft = done > 0 ? (seconds * (1 - done)) / done : 60 * minutes;
      onEvent({ event: 'progress', cell: name, share: done, secondsLeft });
    };
    onProgress(0);
    const result = await experiment.run(cell, { signal, onProgress, finished: finishedCells() });
    const seconds = (performance.now() - began) / 1000;
    const record = { cell, result, seconds };
    appendCell(file, { ...record, node: process.version });
    known.set(JSON.stringify(cell), record);
    before += own;
    onEvent({ event: 'cell', cell: name, seconds, done: cells.length - left.length + i + 1 });
  }
  const finished = finishedCells();
  const report = experiment.report(finished);
  const files = [file, file.replace(/jsonl$/, 'md'), file.replace(/jsonl$/, 'html')];
  const facts = { quick, seeds: seeds.length, seconds: finished.reduce((sum, record) => sum + record.seconds, 0) };
  writeWhole(files[1], renderMarkdown(experiment, report, facts));
  writeWhole(files[2], renderPage(experiment, report, facts));
  onEvent({ event: 'result', report, files });
  return report;
}
