/** Records in results/: one JSON object a line, appended as each trial finishes. */
import { fileURLToPath } from 'node:url';
import { provenance } from '../../src/platform/node/index.ts';
import { appendTrial, readTrials, writeWhole } from './trial-records.ts';

const results = (file: string): string => fileURLToPath(new URL(`../../results/${file}`, import.meta.url));

/** All records of a file; none when there is no file. */
export const readRecordsOf = <R>(file: string): R[] => readTrials<R>(results(file));

/** Appends a record with the versions that it was made with. */
export function appendRecord(file: string, record: object): void {
  const { versions, commit } = provenance();
  appendTrial(results(file), { ...record, node: `v${versions.node}`, ...(commit !== undefined && { commit }) });
}

export const writeTable = (file: string, text: string): void => writeWhole(results(file), text);

/** A share as percent with two digits. */
export const percent = (share: number): string => (100 * share).toFixed(2);
