import { DataError } from '../../data/dataset.ts';
import { growingArray } from '../../data/growing-array.ts';
import { quoted } from '../../math/text.ts';
import { eachRecord } from './csv.ts';

/** Rows of numbers of one's own, for a network to answer. */
export interface NumberRows {
  /** Row-major, without the label's column. */
  readonly values: Float32Array;
  readonly width: number;
  /** The column that was left out, from 0; undefined where there was none. */
  readonly labelled: number | undefined;
  readonly largest: number;
}

const LABEL_NAMES = ['label', 'class', 'target'];

/**
 * Reads a CSV file of rows of `width` numbers. A first row that is not of numbers names the columns. One column more is the
 * label's, by its name or else the first, and left out.
 * @throws DataError that names the line
 */
export function readNumbers(bytes: Uint8Array, where: string, width: number): NumberRows {
  const values = growingArray(Float32Array, where);
  let names: readonly string[] | undefined;
  let columns = 0;
  let labelled: number | undefined;
  let largest = Number.NEGATIVE_INFINITY;

  const begin = (cells: readonly string[]): void => {
    columns = cells.length;
    if (columns !== width && columns !== width + 1)
      throw new DataError(
        `${where} has ${columns} columns; the network takes ${width} numbers, and ${width + 1} columns with a label.`,
      );
    if (columns > width) labelled = Math.max(0, names?.findIndex((name) => LABEL_NAMES.includes(name)) ?? 0);
  };
  eachRecord(bytes, where, (cells, line) => {
    if (columns === 0) {
      if (!names && cells.some((cell) => Number.isNaN(numberOf(cell)))) {
        names = cells.map((cell) => cell.trim().toLowerCase());
        return;
      }
      begin(cells);
    }
    if (cells.length !== columns)
      throw new DataError(`Line ${line} of ${where} has ${cells.length} cells; the rows before it have ${columns}.`);
    cells.forEach((cell, column) => {
      if (column === labelled) return;
      const value = numberOf(cell);
      if (Number.isNaN(value))
        throw new DataError(`Line ${line} of ${where} holds ${quoted(cell)}, which is not a number.`);
      values.push(value);
      if (value > largest) largest = value;
    });
  });
  if (columns === 0) throw new DataError(`${where} holds no row of numbers.`);
  return { values: values.end(), width, labelled, largest };
}

/** NaN when it is no number, or none that Float32 can hold. */
function numberOf(cell: string): number {
  const value = Math.fround(Number(cell));
  return Number.isFinite(value) && cell.trim() !== '' ? value : Number.NaN;
}
