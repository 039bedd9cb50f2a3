import { quoted, quotedList } from '../math/text.ts';
import { DataError, type Dataset, makeDataset } from './dataset.ts';
import { growingArray } from './growing-array.ts';

/** How a table of text becomes a data set. */
export interface CsvOptions {
  /** The label's column, by name or by index from 0; when left out see `tableReader`. */
  label?: string | number;
  /** Whether the first row names the columns; when left out, it does if any of its cells is not a number. */
  header?: boolean;
  /** How many classes; one more than the largest label when left out. */
  classes?: number;
}

/** A table of numbers and its labels. */
export interface NumberTable {
  /** What the table is, for messages. */
  where: string;
  /** count × width, row-major, without the label's column. */
  values: Float32Array;
  labels: Uint8Array;
  count: number;
  width: number;
  /** Whether every value is a whole number from 0 to 255. */
  bytes: boolean;
  largest: number;
}

/** Takes a table row by row, so that a large file need not stand in memory as text. */
export interface TableReader {
  /**
   * Adds a row.
   * @param line the line of the file it ends on, from 1, for messages
   * @throws DataError when the row is ragged, a cell is not a number, or the label is not a whole number from 0 to 255
   */
  row(cells: readonly string[], line: number): void;
  /** @throws DataError when there was no row of numbers */
  end(): NumberTable;
}

const LABEL_NAMES = ['label', 'class', 'target'];
const MAXIMUM_LABEL = 255;

/** An image narrower than this is taken for a plain table. */
const SMALLEST_IMAGE_SIDE = 8;

/** The number in a cell; NaN when it is none, or none that Float32 can hold. */
function cellNumber(cell: string): number {
  const value = Math.fround(Number(cell));
  return Number.isFinite(value) && cell.trim() !== '' ? value : Number.NaN;
}

/** The label's column among `columns` (their names, where there is a header). */
function labelColumn(where: string, count: number, columns: readonly string[] | undefined, label?: string | number) {
  if (typeof label === 'number') {
    if (Number.isInteger(label) && label >= 0 && label < count) return label;
    throw new DataError(`The label's column is ${label}; ${where} has ${count} columns, 0 to ${count - 1}.`);
  }
  const names = columns?.map((column) => column.trim().toLowerCase());
  if (label !== undefined) {
    const found = names?.indexOf(label.trim().toLowerCase()) ?? -1;
    if (found >= 0) return found;
    const have = columns ? `its columns are ${quotedList(columns)}` : 'it has no header';
    throw new DataError(`${where} has no column ${quoted(label)}: ${have}.`);
  }
  return Math.max(0, names?.findIndex((name) => LABEL_NAMES.includes(name)) ?? 0);
}

/**
 * Reads a table of numbers with a column of labels: the column given, else the one that the header calls label, class or
 * target, else the first.
 * @param where what the table is, for messages
 */
export function tableReader(where: string, options: CsvOptions = {}): TableReader {
  let columns: readonly string[] | undefined;
  let count = 0;
  let label = 0;
  let bytes = true;
  let largest = Number.NEGATIVE_INFINITY;
  const values = growingArray(Float32Array, where);
  const labels = growingArray(Uint8Array, where);

  const begin = (cells: readonly string[]): boolean => {
    count = cells.length;
    if (count < 2)
      throw new DataError(`${where} has ${count} column; it needs one of labels and at least one of features.`);
    const named = options.header ?? cells.some((cell) => Number.isNaN(cellNumber(cell)));
    if (named) columns = cells;
    label = labelColumn(where, count, columns, options.label);
    return named;
  };
  const place = (column: number, line: number): string =>
    `Line ${line} of ${where}, column ${column + 1}${columns ? ` (${quoted(columns[column])})` : ''}`;
  const addLabel = (value: number, cell: string, line: number): void => {
    const limit = options.classes === undefined ? MAXIMUM_LABEL : Math.min(MAXIMUM_LABEL, options.classes - 1);
    if (!Number.isInteger(value) || value < 0 || value > limit)
      throw new DataError(
        `${place(label, line)} has the label ${quoted(cell)}; a whole number from 0 to ${limit} would do.`,
      );
    labels.push(value);
  };
  return {
    row(cells, line) {
      if (count === 0 && begin(cells)) return;
      if (cells.length !== count)
        throw new DataError(`Line ${line} of ${where} has ${cells.length} cells; the rows before it have ${count}.`);
      for (let column = 0; column < count; column++) {
        const value = cellNumber(cells[column]);
        if (Number.isNaN(value))
          throw new DataError(`${place(column, line)} holds ${quoted(cells[column])}, which is not a number.`);
        if (column === label) {
          addLabel(value, cells[column], line);
          continue;
        }
        values.push(value);
        if (bytes && !(Number.isInteger(value) && value >= 0 && value <= 255)) bytes = false;
        if (value > largest) largest = value;
      }
    },
    end() {
      if (labels.length === 0) throw new DataError(`${where} holds no row of numbers; a data set needs at least one.`);
      const table = { where, values: values.end(), labels: labels.end(), bytes, largest };
      return { ...table, count: labels.length, width: count - 1 };
    },
  };
}

/** The image that pixel bytes are, if a square one. */
function squareImage(width: number): { image?: { width: number; height: number } } {
  const side = Math.round(Math.sqrt(width));
  return side >= SMALLEST_IMAGE_SIDE && side * side === width ? { image: { width: side, height: side } } : {};
}

/**
 * The data sets of tables that belong together (training and test), with one scale and one number of classes.
 * Where all tables hold whole numbers from 0 to 255, and not only 0 and 1, they are pixel bytes, stored as bytes with the
 * scale 1/255 (and as a square image where they make one); all other numbers are stored as they are, with the scale 1.
 * @throws DataError when the tables have different widths, or a label is not less than `classes`
 */
export function tablesToDatasets(name: string, tables: readonly NumberTable[], classes?: number): Dataset[] {
  const pixels = tables.every(({ bytes }) => bytes) && tables.some(({ largest }) => largest > 1);
  const [{ width, where }] = tables;
  const other = tables.find((table) => table.width !== width);
  if (other)
    throw new DataError(
      `${other.where} has ${other.width} features an example, but ${where} has ${width}; they must agree.`,
    );
  const most = tables.reduce((max, { labels }) => labels.reduce((m, label) => Math.max(m, label), max), 0);
  return tables.map(({ values, labels }) =>
    makeDataset({
      name,
      features: pixels ? new Uint8Array(values) : values,
      scale: pixels ? 1 / 255 : 1,
      labels,
      width,
      classes: classes ?? most + 1,
      ...(pixels && squareImage(width)),
    }),
  );
}
