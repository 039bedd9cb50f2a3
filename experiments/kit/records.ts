/** Records of experiments: one JSON object a line in results/, appended as each trial finishes. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

const results = (file: string): URL => new URL(`../../results/${file}`, import.meta.url);

/** All records of a file; none when there is no file. */
export function readRecordsOf<R>(file: string): R[] {
  if (!existsSync(results(file))) return [];
  const lines = readFileSync(results(file), 'utf8').trim().split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line));
}

/** Appends a record with the versions that it was made with. */
export function appendRecord(file: string, record: object): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  appendFileSync(results(file), `${JSON.stringify({ ...record, node: process.version, commit })}\n`);
}

export function writeTable(file: string, text: string): void {
  writeFileSync(results(file), text);
}

/** A share as percent with two digits. */
export const percent = (share: number): string => (100 * share).toFixed(2);
