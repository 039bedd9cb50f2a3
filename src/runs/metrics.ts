import { FormatError } from '../io/format-error.ts';
import { asObject, decodeText, parseJson, shorten } from '../io/json.ts';
import { type RunKind, type RunKinds, runKinds } from './run-kinds.ts';

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
export type MetricsLine<K extends RunKind = 'classifier'> = (
  | RunKinds[K]['epoch']
  | RunKinds[K]['result']
  | SessionEvent
) & {
  /** Seconds since 1970. */
  readonly time: number;
};

export const METRICS_FILE = 'metrics.jsonl';

const encoder = new TextEncoder();

/** One line as bytes. */
export function encodeLine(line: MetricsLine<RunKind>): Uint8Array {
  return encoder.encode(`${JSON.stringify(line)}\n`);
}

/** What has to be a number in a line of any run, by event; lines of other events are kept as they are. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  epoch: ['epoch', 'epochs'],
  result: ['epochs'],
  session: ['epochs', 'batches', 'step'],
};

/**
 * Reads metrics.jsonl, of unknown origin and perhaps being written. A last line without its end (a writer was killed, or the
 * disk was full) is left out.
 * @returns the lines, and the bytes that they take
 * @throws FormatError with the line's number when a line is not such a line
 */
export function decodeMetrics<K extends RunKind = 'classifier'>(
  bytes: Uint8Array,
  where: string,
  kind: K = 'classifier' as K,
): { lines: MetricsLine<K>[]; length: number } {
  const length = bytes.lastIndexOf(10) + 1;
  const text = decodeText(bytes.subarray(0, length), where);
  const lines = text.split('\n').slice(0, -1);
  return { lines: lines.map((line, i) => checkLine(line, `Line ${i + 1} of ${where}`, kind)), length };
}

function checkLine<K extends RunKind>(text: string, where: string, kind: K): MetricsLine<K> {
  const line = asObject(parseJson(text, where), where);
  if (typeof line.event !== 'string')
    throw new FormatError(`${where} has the event ${shorten(line.event)}; a text would do.`);
  const of = (known: Readonly<Record<string, readonly string[]>>, event: string) =>
    Object.hasOwn(known, event) ? known[event] : [];
  for (const name of [...of(NUMBERS, line.event), ...of(runKinds[kind].numbers, line.event), 'time'])
    if (!Number.isFinite(line[name]))
      throw new FormatError(`${where} has \`${name}\` ${shorten(line[name])}; a number would do.`);
  if (line.event === 'epoch') checkHealth(line.health, where);
  return line as unknown as MetricsLine<K>;
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
