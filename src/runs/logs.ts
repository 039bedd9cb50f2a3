import { type EventHistogram, encodeEvent, eventFileHeader, intactEvents } from '../io/event-file.ts';
import type { SiteHealth } from '../nn/firing-site.ts';
import { epochColumns, nameIn, type Reading, resultFigures } from '../tasks/reading.ts';
import type { InModes, TaskEpochEvent, TaskResultEvent } from '../train/events.ts';
import type { MetricsLine } from './metrics.ts';

/**
 * A log beside metrics.jsonl, for other programs. It holds one entry for each line that it takes, in order, so that after a kill
 * the entries that are whole tell which are missing.
 */
export interface RunLog {
  readonly file: string;
  takes(line: MetricsLine): boolean;
  /** @param task of what the line tells. @param first is the file empty? */
  encode(line: MetricsLine, task: Reading, first: boolean): Uint8Array;
  /** Entries that are whole from the file's start on, and the bytes that they take. */
  intact(file: Uint8Array): { entries: number; length: number };
}

const encoder = new TextEncoder();

/** A header stands with the first entry or not at all. */
const afterHeader = (pieces: number, length: number) =>
  pieces < 2 ? { entries: 0, length: 0 } : { entries: pieces - 1, length };

/** A row an epoch; the columns are those of the first epoch's sites. */
const csv: RunLog = {
  file: 'metrics.csv',
  takes: (line) => line.event === 'epoch',
  encode(line, task, first) {
    const columns = csvColumns(line as TaskEpochEvent & { time: number }, task);
    const row = (cells: readonly (string | number)[]) => `${cells.map(csvCell).join(',')}\n`;
    const header = first ? row(columns.map(([name]) => name)) : '';
    return encoder.encode(header + row(columns.map(([, value]) => value)));
  },
  intact(file) {
    let lines = 0;
    for (let at = file.indexOf(10); at >= 0; at = file.indexOf(10, at + 1)) lines++;
    return afterHeader(lines, file.lastIndexOf(10) + 1);
  },
};

function csvColumns(line: TaskEpochEvent & { time: number }, task: Reading): [string, number][] {
  const { epoch, density, learningRate, seconds, best, time } = line;
  const figures = epochColumns(task).flatMap(({ part, metric = 'loss', of }): [string, number][] => {
    const value = of(line);
    return value === undefined ? [] : [[nameIn(part, metric), value]];
  });
  const own = { ...(density !== undefined && { density }), learningRate, seconds, best: Number(best), time };
  const sites = line.health.flatMap(({ site, rate, dead, alwaysOn }): [string, number][] => [
    [`${site}.rate`, rate],
    [`${site}.dead`, dead],
    [`${site}.alwaysOn`, alwaysOn],
  ]);
  return [['epoch', epoch], ...figures, ...Object.entries(own), ...sites];
}

const csvCell = (cell: string | number): string =>
  typeof cell === 'string' && /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : String(cell);

/** A step an epoch: losses, errors, gate rates and their histograms; the test errors at the best epoch. */
const tensorboard: RunLog = {
  file: 'events.out.tfevents.0.flipgrad',
  takes: (line) => line.event === 'epoch' || line.event === 'result',
  encode(line, task, first) {
    const { time } = line;
    const record =
      line.event === 'result' ? resultRecord(line, task) : epochRecord(line as TaskEpochEvent & { time: number }, task);
    return first ? joined(eventFileHeader(time), record) : record;
  },
  intact(file) {
    const { records, length } = intactEvents(file);
    return afterHeader(records, length);
  },
};

function epochRecord({ health, ...line }: TaskEpochEvent & { time: number }, task: Reading): Uint8Array {
  const { time, epoch, density, learningRate } = line;
  const scalars: Record<string, number> = {};
  for (const { part, metric = 'loss', of } of epochColumns(task)) {
    const value = of(line);
    if (value !== undefined) scalars[`${metric}/${part}`] = value;
  }
  if (density !== undefined) scalars['gates/open'] = density;
  scalars['learning rate'] = learningRate;
  const histograms: Record<string, EventHistogram> = {};
  for (const site of health) {
    scalars[`rate/${site.site}`] = site.rate;
    scalars[`dead/${site.site}`] = site.dead;
    scalars[`always on/${site.site}`] = site.alwaysOn;
    histograms[`rates/${site.site}`] = rateHistogram(site);
  }
  return encodeEvent({ time, step: epoch, scalars, histograms });
}

/** Names of the modes of inference. */
const MODES: Readonly<Record<keyof InModes, string>> = {
  sampled: 'sampled',
  threshold: 'threshold',
  meanField: 'mean-field',
};

function resultRecord({ time, bestEpoch, ...line }: TaskResultEvent & { time: number }, task: Reading): Uint8Array {
  const told = line as Readonly<Record<string, unknown>>;
  const scalars: Record<string, number> = {};
  for (const { name, metric } of resultFigures(task, 'test')) {
    const value = told[name] as number | InModes;
    if (typeof value === 'number') scalars[`test ${metric}`] = value;
    else
      for (const mode of Object.keys(MODES) as (keyof InModes)[])
        scalars[`test ${metric}/${MODES[mode]}`] = value[mode];
  }
  return encodeEvent({ time, step: bestEpoch, scalars, histograms: {} });
}

function rateHistogram({ rate, units, spread }: SiteHealth): EventHistogram {
  const { least, most, variance, histogram } = spread;
  return {
    least,
    most,
    count: units,
    sum: rate * units,
    sumOfSquares: (variance + rate * rate) * units,
    limits: histogram.map((_, i) => (i + 1) / histogram.length),
    counts: histogram,
  };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** Every log that a run can be asked for, by name. */
export const runLogs = { csv, tensorboard } satisfies Record<string, RunLog>;

/** Name of a log beside metrics.jsonl. */
export type LogName = keyof typeof runLogs;

/** Names of the logs beside metrics.jsonl. */
export const LOG_NAMES: readonly LogName[] = Object.keys(runLogs) as LogName[];
