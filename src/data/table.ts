import { quoted, quotedList } from '../math/text.ts';
import { DataError } from './dataset.ts';
import { type GrowingArray, growingArray } from './growing-array.ts';

/** How a table of text is to be read. */
export interface TableOptions {
  /**
   * Columns that are to be told, by name, or by number from 1 where there are no names. Default: the one that is called label, class, target
   * or y.
   */
  readonly targets?: readonly string[];
  /** What is done about a cell without a value: refuse it (default), put the training rows' mean there, or drop the row. */
  readonly missing?: Missing;
  /** Columns whose values are categories though they look like numbers. */
  readonly categorical?: readonly string[];
  /** Read it as versions before did: where no column has the name of one, the first is told. For runs that they made. */
  readonly guess?: boolean;
  /** Does the first row name the columns? Default: it does where none of its cells is a number. */
  readonly header?: boolean;
}

export type Missing = 'error' | 'mean' | 'drop';

/** A column of features as it was understood: plain JSON. */
export interface TableColumn {
  readonly name: string;
  /** Of categories their values; of numbers none. */
  readonly values?: readonly string[];
}

/** What was understood of a table, and what later tables have to be like. */
export interface TableForm {
  /** Had it a row of names? Else columns are called `column 1` and so on. */
  readonly named: boolean;
  /** Features, in order. */
  readonly columns: readonly TableColumn[];
  /** What is told; of classes that are words the words, in order. */
  readonly targets: readonly { readonly name: string; readonly classes?: readonly string[] }[];
  readonly missing: Missing;
}

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
  /** Has the table what is to be told? Its first row says it, before `row` takes it. @throws DataError as `row` does */
  tells(cells: readonly string[], line: number): boolean;
  /** @throws DataError when there was no row */
  end(): RawTable;
}

/** What the targets are: a class each, or numbers. */
export type TargetKind = 'classes' | 'numbers';

/** The same, or nothing: the columns of targets are not read, whatever they hold. */
export type ReadKind = TargetKind | 'none';

const LABEL_NAMES = ['label', 'class', 'target', 'y'];
export const MISSING_WORDS: readonly string[] = ['', 'na', 'n/a', 'nan', 'null', 'none', '?'];
/** Of a number with a decimal comma or signs between thousands: nobody guesses which of both it is. */
const COMMA =
  ', a number with a decimal comma or with signs between thousands. Expected a decimal point and nothing between thousands';
const MOST_CLASSES = 256;
const MOST_CATEGORIES = 1000;

/** The number in a cell; NaN when it is none, or none that Float32 can hold. */
function cellNumber(cell: string): number {
  const value = Math.fround(Number(cell));
  return Number.isFinite(value) && cell.trim() !== '' ? value : Number.NaN;
}

const isNumber = (cell: string): boolean => !Number.isNaN(cellNumber(cell));
/** A number as some countries and programs write it: with a decimal comma, or signs between thousands; none that Number knows. */
const WRITTEN_NUMBER = /^[+-]?(\d{1,3}([., '’\u00a0\u202f]\d{3})+|\d+)([.,]\d+)?$/;
export const isWrittenNumber = (cell: string): boolean => !isNumber(cell) && WRITTEN_NUMBER.test(cell.trim());

const isMissing = (cell: string): boolean => MISSING_WORDS.includes(cell.trim().toLowerCase());
const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

/** @throws DataError for several columns of classes: an example has one */
export function checkOneTarget(where: string, targets: readonly { readonly name: string }[]): void {
  if (targets.length > 1)
    throw new DataError(
      `${where}: --target names ${targets.length} columns and classification tells one. Expected one, or --task multi-label.`,
    );
}

/** Are the cells 0, 1, 2, … or 1, 2, 3, …, as programs name columns without names? */
const countsUp = (cells: readonly string[]): boolean =>
  cells.length > 2 &&
  [0, 1].includes(Number(cells[0])) &&
  cells.every((cell, i) => Number(cell) === Number(cells[0]) + i);

/** Where a column of features stands in a file, and what it is so far. */
interface Place {
  readonly name: string;
  readonly at: number;
  /** Of categories: their values, in order of appearance; undefined while only empty cells were seen, and of numbers null. */
  values: Map<string, number> | null | undefined;
  /** Are the values all that there may be? */
  readonly closed: boolean;
}

interface TargetPlace {
  readonly name: string;
  readonly at: number;
  values: Map<string, number> | null | undefined;
  readonly closed: boolean;
}

/** What the first row says. */
interface Begun {
  /** The line of a row of names. */
  readonly header: number | undefined;
  readonly width: number;
  readonly columns: Place[];
  readonly targets: TargetPlace[];
}

class Reader implements TableReader {
  private readonly where: string;
  private readonly kind: ReadKind;
  private readonly options: TableOptions;
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
  private readonly notes: string[] = [];
  private names: readonly string[] | undefined;
  /** Is the first row taken for names for the sole reason that it holds no number? */
  private onlyWords = false;

  constructor(where: string, kind: ReadKind, options: TableOptions, form: TableForm | undefined) {
    this.where = where;
    this.kind = kind;
    this.options = options;
    this.form = form;
    this.missing = form?.missing ?? options.missing ?? 'error';
    this.features = growingArray(Float32Array, where);
    this.told = growingArray(Float32Array, where);
  }

  row(cells: readonly string[], line: number): void {
    const { header, width, columns, targets } = this.begin(cells, line);
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
    return this.begin(cells, line).targets.length > 0;
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
    const { bytes, largest, dropped, empty, notes } = this;
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
    const { names } = this;
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
    if (this.onlyWords && same(word, name))
      throw new DataError(
        `The first line of ${this.where} holds no number, so that it may be names; but line ${line} has ${quoted(word)} in column ${at + 1} too, so that it may be data. Expected --header yes or no.`,
      );
    if (values.size === most)
      throw new DataError(`${this.place(at, line)} has more than ${most} ${what}. Expected ${most} at most.`);
    values.set(word, values.size);
    return values.size - 1;
  }

  /** Has a row no target? A class may be called none, null or ?. */
  private isUntold(cell: string): boolean {
    return this.kind === 'classes' ? cell.trim() === '' : isMissing(cell);
  }

  private targetOf(target: TargetPlace, cell: string, line: number): number {
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
        `${this.place(target.at, line)} has the label ${quoted(cell)}. Expected a whole number from 0 to ${MOST_CLASSES - 1}. --task regression takes numbers.`,
      );
    return value;
  }

  /** What the first row says; of later ones nothing is read. */
  private begin(cells: readonly string[], line: number): Begun {
    if (this.begun) return this.begun;
    if (cells.length < 2 && !this.form)
      throw new DataError(
        `${this.where} has ${cells.length} column; it needs one of labels and at least one of features, with commas, semicolons or tabs between them.`,
      );
    const named = this.isHeader(cells, line);
    this.names = named ? cells.map((cell) => cell.trim()) : undefined;
    if (this.names && !this.options.guess) this.checkNames(this.names);
    const names = this.names ?? cells.map((_, i) => `column ${i + 1}`);
    const places = this.form ? this.placesLike(this.form, names, named) : this.placesOf(names, named);
    if (this.kind === 'classes') checkOneTarget(this.where, places.targets);
    const header = named ? line : undefined;
    this.begun = { header, width: cells.length, ...places, ...(this.kind === 'none' && { targets: [] }) };
    return this.begun;
  }

  /** Columns are found by their names, in any case. @throws DataError for two that are one */
  private checkNames(names: readonly string[]): void {
    const first = new Map<string, number>();
    names.forEach((name, at) => {
      const key = name.toLowerCase();
      const before = first.get(key);
      if (before !== undefined)
        throw new DataError(
          `${this.where} has two columns of one name: column ${before + 1} is ${quoted(names[before])} and column ${at + 1} is ${quoted(name)}. Expected names that differ in more than case${this.onlyWords ? ', or --header no where the first line holds none' : ''}.`,
        );
      first.set(key, at);
    });
  }

  private isHeader(cells: readonly string[], line: number): boolean {
    const { header } = this.options;
    if (header !== undefined) return header;
    const numbers = cells.filter(isNumber).length;
    if (this.options.guess) return numbers < cells.length;
    if (this.form) {
      const known = [...this.form.columns, ...this.form.targets].some(({ name }) =>
        cells.some((cell) => same(cell, name)),
      );
      // Columns may be called 0, 1, 2.
      if (known) return numbers === 0 || this.form.named;
      const takesNumbers = this.form.columns.some(({ values }) => values === undefined);
      if (numbers === 0 && this.form.named && takesNumbers && !cells.some(isMissing))
        throw new DataError(
          `The first line of ${this.where} holds no number, and none of the names of the run's columns: ${quotedList(cells)}. Expected ${quotedList(this.form.columns.map(({ name }) => name))}.`,
        );
      // Where all columns are numbers, a line without a number is none of theirs.
      const isNames =
        numbers === 0 && !this.form.named && this.form.columns.every(({ values }) => values === undefined);
      if (isNames) this.notes.push(`the first line is taken for names: ${quotedList(cells)}`);
      return isNames;
    }
    const wanted = this.options.targets ?? LABEL_NAMES;
    const isNamed = wanted.some((name) => !isNumber(name) && cells.some((cell) => same(cell, name)));
    this.onlyWords = numbers === 0 && !isNamed;
    if (numbers === 0 && !cells.every(isMissing)) return true;
    if (numbers === cells.length) {
      if (countsUp(cells))
        this.notes.push(
          `the first line, ${cells.slice(0, 3).join(', ')}, …, is taken for data; --header yes takes it for names`,
        );
      return false;
    }
    if (isNamed) return true;
    const odd = cells.find((cell) => !isNumber(cell)) as string;
    throw new DataError(
      `Line ${line} of ${this.where}, the first, holds numbers and ${quoted(odd)}, so that it is neither names nor data for certain. Expected --header yes or no, or names without numbers.`,
    );
  }

  private placesOf(names: readonly string[], named: boolean): { columns: Place[]; targets: TargetPlace[] } {
    const wanted = this.options.targets;
    const find = (name: string): number => {
      const at = named ? names.findIndex((one) => same(one, name)) : -1;
      if (at >= 0) return at;
      const number = Number(name);
      if (Number.isInteger(number) && number >= 1 && number <= names.length) return number - 1;
      const have = named ? `its columns are ${quotedList(names)}` : `it has no header, and ${names.length} columns`;
      throw new DataError(`${this.where} has no column ${quoted(name)}: ${have}.`);
    };
    const { guess = false } = this.options;
    const known = guess ? LABEL_NAMES.slice(0, 3) : LABEL_NAMES;
    const called = named ? names.filter((one) => known.some((name) => same(one, name))) : [];
    if (wanted === undefined && called.length > 1 && !guess)
      throw new DataError(
        `${this.where} has the columns ${quotedList(called)}, each of which may be what is to be told. Expected --label with the name of one.`,
      );
    const found = called.length > 0 ? names.indexOf(called[0]) : -1;
    const usual = found < 0 && guess ? 0 : found;
    if (wanted === undefined && usual < 0)
      throw new DataError(
        `${this.where} has no column called ${LABEL_NAMES.join(', ')}${named ? `: its columns are ${quotedList(names)}` : ', and no names of columns'}. Expected --label with the name or the number of one.`,
      );
    const at = wanted ? wanted.map(find) : [usual];
    if (new Set(at).size < at.length)
      throw new DataError(`${this.where}: ${quotedList(wanted ?? [])} name one column twice. Expected each once.`);
    const categorical = new Set((this.options.categorical ?? []).map(find));
    const columns = names.flatMap((name, i): Place[] =>
      at.includes(i) ? [] : [{ name, at: i, values: categorical.has(i) ? new Map() : undefined, closed: false }],
    );
    return { columns, targets: at.map((i) => ({ name: names[i], at: i, values: undefined, closed: false })) };
  }

  /** By name where both have names; by their order where not, if there are as many. */
  private placesLike(
    { columns, targets, named: wereNamed }: TableForm,
    names: readonly string[],
    named: boolean,
  ): { columns: Place[]; targets: TargetPlace[] } {
    const codes = (values: readonly string[] | undefined) => values && new Map(values.map((value, i) => [value, i]));
    const like = (column: TableColumn, at: number): Place => ({
      name: column.name,
      at,
      values: codes(column.values) ?? null,
      closed: true,
    });
    const target = ({ name, classes }: TableForm['targets'][number], at: number): TargetPlace => ({
      name,
      at,
      values: codes(classes) ?? null,
      closed: true,
    });
    if (named && wereNamed) {
      const at = (name: string) => names.findIndex((one) => same(one, name));
      const lacking = columns.find(({ name }) => at(name) < 0);
      if (lacking)
        throw new DataError(
          `${this.where} has no column ${quoted(lacking.name)}, which the run takes: its columns are ${quotedList(names)}.`,
        );
      const there = targets.filter(({ name }) => at(name) >= 0);
      const others = names.filter((one) => ![...columns, ...targets].some(({ name }) => same(name, one)));
      if (others.length > 0) this.notes.push(`left out, as the run does not take them: ${quotedList(others)}`);
      return {
        columns: columns.map((column) => like(column, at(column.name))),
        targets: there.length === targets.length ? there.map((one) => target(one, at(one.name))) : [],
      };
    }
    const all = columns.length + targets.length;
    if (names.length !== all && names.length !== columns.length)
      throw new DataError(
        `${this.where} has ${names.length} columns; the network takes ${columns.length} numbers, and ${all} columns with a label.`,
      );
    if (wereNamed)
      this.notes.push('columns are taken in the order of the training file: there are no names to find them by');
    // Where the targets stood, of a table without names.
    const placed = targets.map(({ name }) => Number(/^column (\d+)$/.exec(name)?.[1] ?? Number.NaN) - 1);
    const labels = named ? names.filter((one) => LABEL_NAMES.some((name) => same(one, name))) : [];
    const called = labels.length === 1 ? names.indexOf(labels[0]) : -1;
    const usual = placed.every(Number.isInteger) ? placed : targets.map((_, i) => i);
    const places = called >= 0 && targets.length === 1 ? [called] : usual;
    const given = names.length === all ? places : [];
    if (given.length > 0) this.notes.push(`${given.map((at) => `column ${at + 1}`).join(', ')} left out: the label`);
    const rest = names.map((_, i) => i).filter((i) => !given.includes(i));
    return {
      columns: columns.map((column, i) => like(column, rest[i])),
      targets: given.map((at, i) => target(targets[i], at)),
    };
  }
}

/**
 * Reads a table of numbers, categories and targets.
 * @param where what the table is, for messages
 * @param form of a table that was read before: this one has to be like it, and its options are those
 */
export const tableReader = (where: string, kind: ReadKind, options: TableOptions = {}, form?: TableForm): TableReader =>
  new Reader(where, kind, options, form);
