import { RowsModel } from '../kit/rows-model.ts';
import { ROWS, type Row } from './rows.ts';
import type { TableDone, TableResult } from './trial.ts';

export type Final = NonNullable<TableResult['final']>;

/** A number of a finished run, in percent where it is an error. */
export interface Measure {
  readonly name: string;
  of(final: Final): number;
}

export const TEST: Measure = { name: 'test, threshold', of: ({ test }) => 100 * test.threshold };
export const VALID: Measure = { name: 'valid, threshold', of: ({ valid }) => 100 * valid.threshold };
export const ERRORS: readonly Measure[] = [
  VALID,
  { name: 'valid, sampled', of: ({ valid }) => 100 * valid.sampled },
  TEST,
  { name: 'test, sampled', of: ({ test }) => 100 * test.sampled },
  { name: 'test, mean-field', of: ({ test }) => 100 * test.meanField },
];

export const points = (x: number): string => x.toFixed(2);
export const nats = (x: number): string => x.toPrecision(2);

/** A row with its finished runs. */
export interface Runs extends Row {
  readonly finals: readonly (Final & { readonly seed: number })[];
  readonly curves: readonly TableResult['curve'][];
}

export function runsOf(finished: readonly TableDone[]): Runs[] {
  return ROWS.flatMap((row) => {
    const own = finished.filter(({ trial }) => trial.gater === row.gater && trial.stage === 'final');
    const finals = own.flatMap(({ trial, result: { final } }) => (final ? [{ ...final, seed: trial.seed }] : []));
    return finals.length === 0 ? [] : [{ ...row, finals, curves: own.map(({ result }) => result.curve) }];
  });
}

/** The model of all rows together, of the seeds that all of them have. */
export function modelOf(rows: readonly Runs[], { of }: Measure): RowsModel {
  const seeds = rows[0].finals.map(({ seed }) => seed).filter((seed) => rows.every((row) => finalOf(row, seed)));
  return new RowsModel(
    new Map(rows.map((row) => [row.gater, seeds.map((seed) => of(finalOf(row, seed) as Final))] as const)),
  );
}

const finalOf = ({ finals }: Runs, wanted: number): Final | undefined => finals.find(({ seed }) => seed === wanted);

/** How far a row's training is from the published one, where its curve is printed. */
export function shortOf({ curves, published }: Runs): string | undefined {
  const epochs = Math.max(...curves.map(({ length }) => length));
  if (published?.epochs === undefined || epochs >= published.epochs) return undefined;
  return `${epochs} epochs of about ${published.epochs} that the published curve runs`;
}
