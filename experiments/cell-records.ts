import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Writes a whole file or nothing: under a name of this process first. */
export function writeWhole(path: string, text: string): void {
  const part = `${path}.${process.pid}.new`;
  writeFileSync(part, text);
  renameSync(part, path);
}

/**
 * Records of cells, one JSON object a line. A last line that has no end is left out: a crash cut it off, or another process is
 * writing it.
 * @throws RangeError for another line that is no JSON
 */
export function readCells<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  return wholeLines(readFileSync(path, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line, i) => parsed(line, path, i + 1));
}

const wholeLines = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);

function parsed<T>(line: string, path: string, number: number): T {
  try {
    return JSON.parse(line);
  } catch {
    throw new RangeError(`Line ${number} of ${path} is no JSON; without that line, its cell would run again.`);
  }
}

/** Appends a record, after what a crash left of a last line has been cut off. One process at a time: see `CellLocks`. */
export function appendCell(path: string, record: object): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = wholeLines(text);
  if (whole !== text) writeWhole(path, whole);
  appendFileSync(path, `${JSON.stringify(record)}\n`);
}
