import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Writes a whole file or nothing: under another name first. */
export function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/**
 * Records of cells, one JSON object a line. A last line that a crash cut off is dropped from the file, so that its cell runs again.
 * @throws RangeError for another line that is no JSON
 */
export function readCells<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole !== text) writeWhole(path, whole);
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line, i) => parsed(line, path, i + 1));
}

function parsed<T>(line: string, path: string, number: number): T {
  try {
    return JSON.parse(line);
  } catch {
    throw new RangeError(`Line ${number} of ${path} is no JSON; without that line, its cell would run again.`);
  }
}

export function appendCell(path: string, record: object): void {
  appendFileSync(path, `${JSON.stringify(record)}\n`);
}
