import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Writes a whole file or nothing: under a name of this process first. */
export function writeWhole(path: string, text: string): void {
  const part = `${path}.${process.pid}.new`;
  writeFileSync(part, text);
  renameSync(part, path);
}

/**
 * Records of trials, one JSON object a line. A last line that has no end is left out: a crash cut it off, or another process is
 * writing it.
 * @throws RangeError for another line that is no JSON
 */
export function readTrials<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  return wholeLines(readFileSync(path, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line, i) => renamed(parsed(line, path, i + 1)) as T);
}

/** A record with the names that are used now: earlier versions wrote `cell` for `trial`, and why-slow `basket` for `probed`. */
function renamed(record: Readonly<Record<string, unknown>>): object {
  if (!('cell' in record)) return record;
  const { cell, result, ...facts } = record;
  const { basket, ...kept } = result as Readonly<Record<string, unknown>>;
  return { trial: cell, result: basket === undefined ? kept : { ...kept, probed: basket }, ...facts };
}

const wholeLines = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);

function parsed(line: string, path: string, number: number): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line);
  } catch {
    throw new RangeError(`Line ${number} of ${path} is no JSON; without that line, its trial would run again.`);
  }
}

/** Appends a record, after what a crash left of a last line has been cut off. One process at a time: see `TrialLocks`. */
export function appendTrial(path: string, record: object): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = wholeLines(text);
  if (whole !== text) writeWhole(path, whole);
  appendFileSync(path, `${JSON.stringify(record)}\n`);
}
