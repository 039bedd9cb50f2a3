import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchmarkRecord } from './harness.ts';

/** The file of the records: a line of JSON an entry. */
export const RECORDS = fileURLToPath(new URL('../results/bench.jsonl', import.meta.url));

/** One record: an entry of a comparison, and where and when it was measured. */
export interface BenchRecord extends BenchmarkRecord {
  readonly comparison: string;
  readonly cpu: string;
  readonly node: string;
}

/** The records so far, in the order of the file; none where there is no file. */
export function readBenchRecords(): BenchRecord[] {
  if (!existsSync(RECORDS)) return [];
  const lines = readFileSync(RECORDS, 'utf8').trim().split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line));
}

/** The records as Markdown: a table a comparison. */
export function renderBench(records: readonly BenchRecord[]): string {
  const names = [...new Set(records.map(({ comparison }) => comparison))];
  const cell = (value: number, digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : '');
  return names
    .map((name) => {
      const rows = records.filter(({ comparison }) => comparison === name);
      return [
        `### ${name}`,
        '',
        `| ${rows[0].cpu}, Node ${rows[0].node} | ms | times the first |`,
        '|---|---:|---:|',
        ...rows.map((row) =>
          row.skipped === undefined
            ? `| ${row.name} | ${cell(row.milliseconds, row.milliseconds < 0.1 ? 4 : 2)} | ${cell(row.ratio, 2)} |`
            : `| ${row.name} | skipped: ${row.skipped} | |`,
        ),
        '',
      ].join('\n');
    })
    .join('\n');
}
