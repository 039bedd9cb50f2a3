/** Records in results/: one JSON object a line, appended as each trial finishes. */
import { fileURLToPath } from 'node:url';
import { provenance } from '../../src/platform/node/index.ts';
import { appendTrial, readTrials, writeWhole } from './trial-records.ts';

const results = (file: string): string => fileURLToPath(new URL(`../../results/${file}`, import.meta.url));

/** All records of a file; none when there is no file. */
export const readRecordsOf = <R>(file: string): R[] => readTrials<R>(results(file));

/** Of this process, before its own records change the tree that it runs in. */
let origin: ReturnType<typeof provenance> | undefined;

/** Appends a record with the versions that it was made with. */
export function appendRecord(file: string, record: object): void {
  origin ??= provenance();
  const { versions, commit } = origin;
  appendTrial(results(file), { ...record, node: `v${versions.node}`, ...(commit !== undefined && { commit }) });
}

export const writeTable = (file: string, text: string): void => writeWhole(results(file), text);

/** A share as percent with two digits. */
export const percent = (share: number): string => (100 * share).toFixed(2);
