import { FormatError } from '../io/format-error.ts';
import { asObject, decodeText, parseJson, shorten } from '../io/json.ts';
import { epochNumbers, nameIn, type Reading } from '../tasks/reading.ts';
import type { TaskEpochEvent, TaskResultEvent } from '../train/events.ts';

/** A process took the run up. */
export interface SessionEvent {
  readonly event: 'session';
  /** Where it stood: complete epochs, minibatches of the next one, steps. */
  readonly epochs: number;
  readonly batches: number;
  readonly step: number;
  readonly engine: string;
  readonly threads: number;
  /** Who did: process, machine. */
  readonly by: Readonly<Record<string, string | number>>;
}

/** A line of metrics.jsonl. */
export type MetricsLine = (TaskEpochEvent | TaskResultEvent | SessionEvent) & {
  /** Seconds since 1970. */
  readonly time: number;
};

export const METRICS_FILE = 'metrics.jsonl';

const encoder = new TextEncoder();

/** One line as bytes. */
export function encodeLine(line: MetricsLine): Uint8Array {
  return encoder.encode(`${JSON.stringify(line)}\n`);
}

/** Required and optional numbers of a line. */
interface Numbers {
  readonly all: readonly string[];
  readonly some?: readonly string[];
}

/** What is a number in a line of a task, by event; lines of other events are kept as they are. */
function numbersOf(task: Reading, event: string): Numbers {
  const { all, some } = epochNumbers(task);
  const known: Readonly<Record<string, Numbers>> = {
    epoch: { all: ['epoch', 'epochs', ...all], some },
    result: {
      all: ['epochs', nameIn('valid', task.best.metric), 'bestEpoch', 'seconds'],
      some: ['trainLoss', 'density'],
    },
    session: { all: ['epochs', 'batches', 'step'] },
  };
  return Object.hasOwn(known, event) ? known[event] : { all: [] };
}

/** The most bytes of metrics.jsonl: a hundred thousand epochs. */
export const MOST_METRICS = 2 ** 27;
/** And of a line: what it tells of thousands of sites. */
const MOST_LINE = 2 ** 24;

/** What stands in metrics.jsonl. */
export interface Metrics {
  readonly lines: MetricsLine[];
  /** The bytes that they take: what comes after is a last line without its end, as a killed writer or a full disk leaves it. */
  readonly length: number;
  /** Of the file. */
  readonly size: number;
}

/**
 * Reads metrics.jsonl, of unknown origin and perhaps being written, piece by piece. A last line without its end is left out.
 * @throws FormatError with the line's number when a line is not such a line, or longer than any
 */
export async function readMetrics(pieces: AsyncIterable<Uint8Array>, where: string, task: Reading): Promise<Metrics> {
  const reader = new MetricsReader(where, task);
  for await (const piece of pieces) reader.add(piece);
  return reader;
}

/** The same of a file's bytes. */
export function decodeMetrics(bytes: Uint8Array, where: string, task: Reading): Metrics {
  const reader = new MetricsReader(where, task);
  reader.add(bytes);
  return reader;
}

class MetricsReader implements Metrics {
  readonly lines: MetricsLine[] = [];
  size = 0;
  /** Of a line whose end has not come yet. */
  private pieces: Uint8Array[] = [];
  private pending = 0;
  private readonly where: string;
  private readonly task: Reading;

  constructor(where: string, task: Reading) {
    this.where = where;
    this.task = task;
  }

  get length(): number {
    return this.size - this.pending;
  }

  add(piece: Uint8Array): void {
    this.size += piece.length;
    const end = piece.lastIndexOf(10) + 1;
    if (end > 0) this.parse(joined([...this.pieces.splice(0), piece.subarray(0, end)]));
    const rest = piece.subarray(end);
    this.pieces.push(rest);
    this.pending = end > 0 ? rest.length : this.pending + rest.length;
    if (this.pending > MOST_LINE)
      throw new FormatError(
        `Line ${this.lines.length + 1} of ${this.where} has more than ${MOST_LINE} bytes. Expected an epoch, a session or a result.`,
      );
  }

  /** Whole lines. */
  private parse(bytes: Uint8Array): void {
    const text = decodeText(bytes, this.where);
    for (const line of text.split('\n').slice(0, -1))
      this.lines.push(checkLine(line, `Line ${this.lines.length + 1} of ${this.where}`, this.task));
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function checkLine(text: string, where: string, task: Reading): MetricsLine {
  const line = asObject(parseJson(text, where), where);
  if (typeof line.event !== 'string')
    throw new FormatError(`${where} has the event ${shorten(line.event)}. Expected a text.`);
  const { all, some = [] } = numbersOf(task, line.event);
  for (const name of [...all, 'time', ...some.filter((one) => line[one] !== undefined)])
    if (!Number.isFinite(line[name]))
      throw new FormatError(`${where} has \`${name}\` ${shorten(line[name])}. Expected a number.`);
  if (line.event === 'epoch') checkHealth(line.health, where);
  return line as unknown as MetricsLine;
}

function checkHealth(value: unknown, where: string): void {
  if (!Array.isArray(value)) throw new FormatError(`${where} has no list \`health\`.`);
  for (const site of value) {
    const { site: name, spread, ...numbers } = asObject(site, `\`health\` of ${where}`);
    const { histogram, ...rates } = asObject(spread, `\`spread\` of ${where}`);
    const counts = Array.isArray(histogram) ? histogram : [Number.NaN];
    if (typeof name !== 'string') throw new FormatError(`A site of ${where} has the name ${shorten(name)}.`);
    const all = [
      ...counts,
      ...['rate', 'dead', 'alwaysOn', 'units'].map((field) => numbers[field]),
      rates.least,
      rates.most,
      rates.variance,
    ];
    if (!all.every(Number.isFinite)) throw new FormatError(`The site ${shorten(name)} of ${where} lacks a number.`);
  }
}
