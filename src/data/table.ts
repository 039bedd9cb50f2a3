import { quoted, quotedList } from '../math/text.ts';
import { DataError } from './dataset.ts';
import { type GrowingArray, growingArray } from './growing-array.ts';
import { COMMA, cellNumber, isMissing, isNumber, isWrittenNumber, same } from './table-cells.ts';
import type { Missing, ReadKind, TableForm, TableOptions } from './table-form.ts';
import { type Begun, type Place, TableHead } from './table-head.ts';

/** A table of numbers. */
export interface RawTable {
  /** What it is, for messages. */
  readonly where: string;
  readonly form: TableForm;
  readonly count: number;
  /** count × columns: numbers, places of categories, NaN where nothing stood. */
  readonly values: Float32Array;
  /** count × targets: numbers, places of classes; none where the table lacks them. */
  readonly targets?: Float32Array;
  /** Is every value a whole number from 0 to 255, and the largest one. */
  readonly bytes: boolean;
  readonly largest: number;
  /** Rows that were dropped, and cells without a value by column. */
  readonly dropped: number;
  readonly empty: Readonly<Record<string, number>>;
  /** What a person should know: columns taken by their order, … */
  readonly notes: readonly string[];
}

/** Takes a table row by row, so that a large file need not stand in memory as text. */
export interface TableReader {
  /** @param line the line of the file it ends on, from 1, for messages. @throws DataError that names line and column */
  row(cells: readonly string[], line: number): void;
  /** Does the table have the columns of targets? To be asked of its first row, before `row` takes it. @throws DataError as `row` does */
  tells(cells: readonly string[], line: number): boolean;
  /** @throws DataError when there was no row */
  end(): RawTable;
}

const MOST_CLASSES = 256;
const MOST_CATEGORIES = 1000;

class Reader implements TableReader {
  private readonly where: string;
  private readonly kind: ReadKind;
  private readonly head: TableHead;
  private readonly form: TableForm | undefined;
  private readonly missing: Missing;
  private readonly features: GrowingArray<Float32Array>;
  private readonly told: GrowingArray<Float32Array>;
  private begun: Begun | undefined;
  private count = 0;
  private bytes = true;
  private largest = Number.NEGATIVE_INFINITY;
  private dropped = 0;
  private readonly empty: Record<string, number> = {};

  constructor(where: string, kind: ReadKind, options: TableOptions, form: TableForm | undefined) {
    this.where = where;
    this.kind = kind;
    this.head = new TableHead(where, kind, options, form);
    this.form = form;
    this.missing = form?.missing ?? options.missing ?? 'error';
    this.features = growingArray(Float32Array, where);
    this.told = growingArray(Float32Array, where);
  }

  row(cells: readonly string[], line: number): void {
    const { header, width, columns, targets } = (this.begun ??= this.head.begin(cells, line));
    if (line === header) return;
    if (cells.length !== width)
      throw new DataError(`Line ${line} of ${this.where} has ${cells.length} cells; the rows before it have ${width}.`);
    if (
      this.missing === 'drop' &&
      (columns.some(({ at }) => isMissing(cells[at])) || targets.some(({ at }) => this.isUntold(cells[at])))
    ) {
      for (const { at, name } of columns) if (isMissing(cells[at])) this.empty[name] = (this.empty[name] ?? 0) + 1;
      this.dropped++;
      return;
    }
    for (const column of columns) this.features.push(this.valueOf(column, cells[column.at], line));
    for (const target of targets) this.told.push(this.targetOf(target, cells[target.at], line));
    this.count++;
  }

  tells(cells: readonly string[], line: number): boolean {
    this.begun ??= this.head.begin(cells, line);
    return this.begun.targets.length > 0;
  }

  end(): RawTable {
    const { begun, count, where } = this;
    if (count === 0 && this.dropped > 0)
      throw new DataError(
        `All ${this.dropped} rows of ${where} lack a value in some column, and --missing drop leaves such rows out: most lack ${quoted(this.emptiest())}. Expected a row with all values, or --missing mean.`,
      );
    if (!begun || count === 0) throw new DataError(`${where} holds no row of numbers; a data set needs at least one.`);
    const values = this.features.end();
    const { columns, targets: told } = begun;
    const form: TableForm = this.form ?? {
      named: begun.header !== undefined,
      columns: columns.map(({ name, values: own }) => ({ name, ...(own && { values: [...own.keys()] }) })),
      targets: told.map(({ name, values: own }) => ({ name, ...(own && { classes: [...own.keys()].sort() }) })),
      missing: this.missing,
    };
    const targets = told.length > 0 ? this.told.end() : undefined;
    // Classes are told in the order of their names, whatever row comes first.
    if (targets && !this.form)
      told.forEach(({ values: own }, t) => {
        if (!own) return;
        const names = [...own.keys()];
        const sorted = [...names].sort();
        const order = names.map((name) => sorted.indexOf(name));
        for (let i = t; i < targets.length; i += told.length) targets[i] = order[targets[i]];
      });
    const { bytes, largest, dropped, empty } = this;
    const { notes } = this.head;
    return { where, form, count, values, ...(targets && { targets }), bytes, largest, dropped, empty, notes };
  }

  /** The column that most rows have no value of. */
  private emptiest(): string {
    return Object.entries(this.empty).reduce(
      (most, one) => (one[1] > most[1] ? one : most),
      ['what is to be told', 0],
    )[0];
  }

  private place(at: number, line: number): string {
    const { names } = this.head;
    return `Line ${line} of ${this.where}, column ${at + 1}${names ? ` (${quoted(names[at])})` : ''}`;
  }

  private valueOf(column: Place, cell: string, line: number): number {
    if (isMissing(cell)) {
      if (this.missing === 'error')
        throw new DataError(
          `${this.place(column.at, line)} holds ${quoted(cell)}, which is ${this.form ? 'no value, and the run was trained on rows with values alone. Expected one' : 'not a number. Expected one, or --missing mean or drop'}.`,
        );
      this.empty[column.name] = (this.empty[column.name] ?? 0) + 1;
      return Number.NaN;
    }
    if (column.values === undefined && isWrittenNumber(cell))
      throw new DataError(
        `${this.place(column.at, line)} holds ${quoted(cell)}${COMMA}, or --categorical ${quoted(column.name)}.`,
      );
    column.values ??= column.values === null || isNumber(cell) ? null : new Map();
    const { values } = column;
    if (values === null) {
      const value = cellNumber(cell);
      if (Number.isNaN(value))
        throw new DataError(
          `${this.place(column.at, line)} holds ${quoted(cell)}${isWrittenNumber(cell) ? COMMA : `, which is not a number. Expected one, as in ${this.form ? 'the training' : 'the rows before'}`}${this.form ? '' : `, or --categorical ${quoted(column.name)}`}.`,
        );
      if (this.bytes && !(Number.isInteger(value) && value >= 0 && value <= 255)) this.bytes = false;
      if (value > this.largest) this.largest = value;
      return value;
    }
    this.bytes = false;
    return this.codeIn(values, column, cell, line, MOST_CATEGORIES, 'values');
  }

  private codeIn(
    values: Map<string, number>,
    { name, at, closed }: { readonly name: string; readonly at: number; readonly closed: boolean },
    cell: string,
    line: number,
    most: number,
    what: string,
  ): number {
    const word = cell.trim();
    const known = values.get(word);
    if (known !== undefined) return known;
    if (closed)
      throw new DataError(
        `${this.place(at, line)} holds ${quoted(cell)}, which is none of its ${what}. Expected one of ${quotedList([...values.keys()])}.`,
      );
    if (this.head.onlyWords && same(word, name))
      throw new DataError(
        `The first line of ${this.where} holds no number, so that it may be names; but line ${line} has ${quoted(word)} in column ${at + 1} too, so that it may be data. Expected --header yes or no.`,
      );
    if (values.size === most)
      throw new DataError(`${this.place(at, line)} has more than ${most} ${what}. Expected ${most} at most.`);
    values.set(word, values.size);
    return values.size - 1;
  }

  /** Is a target's cell empty? Words for a missing value, such as none or ?, may be names of classes. */
  private isUntold(cell: string): boolean {
    return this.kind === 'classes' ? cell.trim() === '' : isMissing(cell);
  }

  private targetOf(target: Place, cell: string, line: number): number {
    if (this.kind === 'numbers') {
      const value = cellNumber(cell);
      if (Number.isNaN(value))
        throw new DataError(
          `${this.place(target.at, line)} holds ${quoted(cell)}${isWrittenNumber(cell) ? COMMA : ', which is not a number. Expected one: a target is never filled in; --missing drop leaves such rows out'}.`,
        );
      return value;
    }
    if (this.isUntold(cell)) throw new DataError(`${this.place(target.at, line)} has no label. Expected one.`);
    target.values ??= target.values === null || isNumber(cell) ? null : new Map();
    if (target.values) return this.codeIn(target.values, target, cell, line, MOST_CLASSES, 'classes');
    const value = Number(cell);
    if (!Number.isInteger(value) || value < 0 || value >= MOST_CLASSES)
      throw new DataError(
        `${this.place(target.at, line)} has the label ${quoted(cell)}. Expected a whole number from 0 to ${MOST_CLASSES - 1}. To predict numbers, use --task regression.`,
      );
    return value;
  }
}

/**
 * Reads a table of numbers, categories and targets.
 * @param where what the table is, for messages
 * @param form of a table that was read before: this one has to be like it, and its options are those
 */
export const tableReader = (where: string, kind: ReadKind, options: TableOptions = {}, form?: TableForm): TableReader =>
  new Reader(where, kind, options, form);
