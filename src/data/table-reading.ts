import type { RawTable } from './table.ts';
import type { TableColumn, TableForm } from './table-form.ts';

/** How a table becomes what a network takes: what was understood of it, and what was measured on its training rows. Plain JSON. */
export interface TableReading extends TableForm {
  /** A number times this is the network's input; 1/255 where all are bytes. */
  readonly scale: number;
  /** Of every feature, one a category: what stands for a cell without a value. */
  readonly fill?: readonly number[];
  /** What is taken off every feature, and what the rest is divided by. */
  readonly center?: readonly number[];
  readonly spread?: readonly number[];
  /** What is taken off every target, and what the rest is divided by, where targets are numbers that a network is to give. */
  readonly targetCenter?: readonly number[];
  readonly targetSpread?: readonly number[];
}

/** Features that a column becomes: one, or one a category. */
export const sizeOf = ({ values }: TableColumn): number => values?.length ?? 1;

/** Features of one row, categories one by one. */
export const widthOf = ({ columns }: Pick<TableForm, 'columns'>): number =>
  columns.reduce((sum, column) => sum + sizeOf(column), 0);

/** Names of the features, those of categories with their value. */
export const featureNames = ({ columns }: Pick<TableForm, 'columns'>): string[] =>
  columns.flatMap(({ name, values }) => values?.map((value) => `${name}=${value}`) ?? [name]);

/** count × width: categories as 0 and 1, NaN where nothing stood. */
export function expanded({ values, count, form }: RawTable): Float32Array {
  const { columns } = form;
  const width = widthOf(form);
  if (width === columns.length && columns.every((column) => column.values === undefined)) return values;
  const all = new Float32Array(count * width);
  for (let r = 0; r < count; r++) {
    let at = r * width;
    columns.forEach((column, c) => {
      const value = values[r * columns.length + c];
      if (column.values === undefined) all[at] = value;
      else if (Number.isNaN(value)) all.fill(Number.NaN, at, at + column.values.length);
      else all[at + value] = 1;
      at += sizeOf(column);
    });
  }
  return all;
}
