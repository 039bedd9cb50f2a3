import { CsvError, parse } from 'csv-parse/sync';
import { DataError } from '../../data/dataset.ts';
import { findDelimiter } from './csv.ts';

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
  const rows = recordsOf(bytes, where);
  const named = rows.length > 0 && rows[0].cells.some((cell) => Number.isNaN(numberOf(cell)));
  const names = named ? rows[0].cells.map((cell) => cell.trim().toLowerCase()) : [];
  const body = named ? rows.slice(1) : rows;
  if (body.length === 0) throw new DataError(`${where} holds no row of numbers.`);
  const columns = body[0].cells.length;
  if (columns !== width && columns !== width + 1)
    throw new DataError(
      `${where} has ${columns} columns; the network takes ${width} numbers, and ${width + 1} columns with a label.`,
    );
  const labelled =
    columns === width
      ? undefined
      : Math.max(
          0,
          names.findIndex((name) => LABEL_NAMES.includes(name)),
        );
  const values = new Float32Array(body.length * width);
  let at = 0;
  for (const { cells, line } of body) {
    if (cells.length !== columns)
      throw new DataError(`Line ${line} of ${where} has ${cells.length} cells; the rows before it have ${columns}.`);
    cells.forEach((cell, column) => {
      if (column === labelled) return;
      const value = numberOf(cell);
      if (Number.isNaN(value))
        throw new DataError(
          `Line ${line} of ${where} holds ${JSON.stringify(cell.slice(0, 40))}, which is not a number.`,
        );
      values[at++] = value;
    });
  }
  return {
    values,
    width,
    labelled,
    largest: values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  };
}

function recordsOf(bytes: Uint8Array, where: string): { cells: string[]; line: number }[] {
  const rows: { cells: string[]; line: number }[] = [];
  try {
    parse(bytes, {
      bom: true,
      delimiter: findDelimiter(bytes),
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (cells: string[], { lines }) => {
        rows.push({ cells, line: lines });
        return null;
      },
    });
  } catch (error) {
    if (error instanceof CsvError) throw new DataError(`${where} is not CSV: ${error.message}.`, { cause: error });
    throw error;
  }
  return rows;
}

/** NaN when it is no number, or none that Float32 can hold. */
function numberOf(cell: string): number {
  const value = Math.fround(Number(cell));
  return Number.isFinite(value) && cell.trim() !== '' ? value : Number.NaN;
}
