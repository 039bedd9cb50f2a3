import { quotedList } from '../math/text.ts';
import { DataError, type Dataset, makeDataset } from './dataset.ts';
import type { RawTable } from './table.ts';
import { checkOneTarget } from './table-head.ts';
import { squareImage } from './table-picture.ts';
import { expanded, sizeOf, type TableReading, widthOf } from './table-reading.ts';
import { makeTargets, type TargetDataset } from './targets.ts';

export interface EncodeOptions {
  /** Bring targets that are numbers to mean 0 and deviation 1 for training, as measured on the training rows; default false. */
  readonly standardizeTargets?: boolean | undefined;
  /** Bring every column of numbers to mean 0 and deviation 1, as measured on the training rows; default false. */
  readonly standardize?: boolean;
  /** A number times this is an input; default: 1/255 where all are bytes and some over 1, else 1. */
  readonly scale?: number | undefined;
}

/** Measures on the training rows what the reading of a table needs. @param others tables that belong to it, such as a test file's */
export function measureTable(
  table: RawTable,
  train: readonly number[],
  { standardize = false, standardizeTargets = false, scale }: EncodeOptions,
  others: readonly RawTable[] = [],
): TableReading {
  const { form } = table;
  const width = widthOf(form);
  const all = [table, ...others];
  const filled = form.missing === 'mean';
  const pixels = !standardize && !filled && all.every(({ bytes }) => bytes) && all.some(({ largest }) => largest > 1);
  const { means: targetCenter, spreads: targetSpread } =
    standardizeTargets && table.targets ? measured(table.targets, form.targets.length, train) : {};
  const reading: TableReading = {
    ...form,
    scale: scale ?? (pixels ? 1 / 255 : 1),
    ...(targetCenter && targetSpread && { targetCenter, targetSpread }),
  };
  if (!standardize && !filled) return reading;
  const { means, spreads } = measured(expanded(table), width, train);
  const fill = filled ? { fill: means } : {};
  if (!standardize) return { ...reading, ...fill };
  // Of categories 0 and 1 stay.
  const isNumber = form.columns.flatMap((column) => Array(sizeOf(column)).fill(column.values === undefined));
  return {
    ...reading,
    ...fill,
    center: means.map((mean, i) => (isNumber[i] ? mean : 0)),
    spread: spreads.map((spread, i) => (isNumber[i] ? spread : 1)),
  };
}

/** Means and deviations of columns over some rows, without NaN; a column of one value has no spread and keeps its size. */
function measured(
  values: Float32Array,
  width: number,
  rows: readonly number[],
): { readonly means: number[]; readonly spreads: number[] } {
  const [counts, sums, squares] = [0, 1, 2].map(() => new Float64Array(width));
  const each = (visit: (x: number, i: number) => void): void => {
    for (const r of rows)
      for (let i = 0; i < width; i++) {
        const x = values[r * width + i];
        if (!Number.isNaN(x)) visit(x, i);
      }
  };
  each((x, i) => {
    counts[i]++;
    sums[i] += x;
  });
  const means = Array.from(sums, (sum, i) => (counts[i] > 0 ? sum / counts[i] : 0));
  each((x, i) => {
    squares[i] += (x - means[i]) ** 2;
  });
  return { means, spreads: Array.from(squares, (square, i) => (square > 0 ? Math.sqrt(square / counts[i]) : 1)) };
}

/** Features as the network takes them but for the scale: of some rows. @throws DataError for a row that cannot be, as nothing stands for an empty cell */
function encoded(
  table: RawTable,
  { fill, center, spread, scale }: TableReading,
  rows: readonly number[],
): Float32Array | Uint8Array {
  const width = widthOf(table.form);
  const values = expanded(table);
  const bytes = scale !== 1 && table.bytes;
  const out = bytes ? new Uint8Array(rows.length * width) : new Float32Array(rows.length * width);
  rows.forEach((row, r) => {
    for (let i = 0; i < width; i++) {
      let x = values[row * width + i];
      if (Number.isNaN(x) && fill) x = fill[i];
      if (center && spread) x = (x - center[i]) / spread[i];
      out[r * width + i] = x;
    }
  });
  return out;
}

/** All rows of a table. */
export const rowsOf = ({ count }: { readonly count: number }): number[] => Array.from({ length: count }, (_, i) => i);

/**
 * Rows of a table as examples with a class.
 * @param classes how many; default: as many as words, or one more than the largest label of the rows
 * @throws DataError for a table that was read with several targets
 */
export function labelledRows(
  name: string,
  table: RawTable,
  reading: TableReading,
  { rows = rowsOf(table), classes }: { readonly rows?: readonly number[]; readonly classes?: number } = {},
): Dataset {
  const { targets } = table;
  checkOneTarget(name, table.form.targets);
  const labels = Uint8Array.from(rows, (row) => targets?.[row] ?? 0);
  const words = reading.targets[0]?.classes;
  const width = widthOf(reading);
  return makeDataset({
    name,
    features: encoded(table, reading, rows),
    scale: reading.scale,
    labels,
    width,
    classes: words?.length ?? classes ?? labels.reduce((most, label) => Math.max(most, label), 0) + 1,
    ...(reading.scale !== 1 && squareImage(width)),
  });
}

/** Rows of a table as examples with numbers as targets. */
export function targetRows(
  name: string,
  table: RawTable,
  reading: TableReading,
  { rows = rowsOf(table) }: { readonly rows?: readonly number[] } = {},
): TargetDataset {
  const outputs = Math.max(1, reading.targets.length);
  const targets = new Float32Array(rows.length * outputs);
  if (table.targets)
    rows.forEach((row, r) => {
      targets.set(table.targets?.subarray(row * outputs, (row + 1) * outputs) ?? [], r * outputs);
    });
  const { scale, targetCenter: center, targetSpread: spread } = reading;
  return makeTargets({
    name,
    features: encoded(table, reading, rows),
    scale,
    targets,
    width: widthOf(reading),
    outputs,
    ...(center && spread && { units: { center, spread } }),
  });
}

/** @throws DataError unless a table has what is to be told */
export function wantTargets(table: RawTable): void {
  if (table.targets) return;
  const names = quotedList(table.form.targets.map(({ name }) => name));
  throw new DataError(`${table.where} has no column ${names}, which is to be compared with. Expected one.`);
}
