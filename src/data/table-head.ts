import { quoted, quotedList } from '../math/text.ts';
import { DataError } from './dataset.ts';
import { isMissing, isNumber, same } from './table-cells.ts';
import type { ReadKind, TableColumn, TableForm, TableOptions } from './table-form.ts';

/** Names of columns that are taken for the target where none is named. */
const LABEL_NAMES = ['label', 'class', 'target', 'y'];

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

/** Where a column of features or targets stands in a file, and what it is so far. */
export interface Place {
  readonly name: string;
  readonly at: number;
  /** Of categories and classes that are words: their values, in order of appearance; undefined while only empty cells were seen, and of numbers null. */
  values: Map<string, number> | null | undefined;
  /** Are the values all that there may be? */
  readonly closed: boolean;
}

/** What the first row says. */
export interface Begun {
  /** The line of a row of names. */
  readonly header: number | undefined;
  readonly width: number;
  readonly columns: Place[];
  readonly targets: Place[];
}

/** Reads the first row of a table: whether it holds names, and in which columns features and targets stand. */
export class TableHead {
  /** What a person should know. */
  readonly notes: string[] = [];
  /** Of the columns, where the row holds them. */
  names: readonly string[] | undefined;
  /** Is the row taken for names for the sole reason that it holds no number? */
  onlyWords = false;
  private readonly where: string;
  private readonly kind: ReadKind;
  private readonly options: TableOptions;
  private readonly form: TableForm | undefined;

  constructor(where: string, kind: ReadKind, options: TableOptions, form: TableForm | undefined) {
    this.where = where;
    this.kind = kind;
    this.options = options;
    this.form = form;
  }

  /** Reads the row. @throws DataError for a row that can be neither names nor data for certain, or lacks a column that is wanted */
  begin(cells: readonly string[], line: number): Begun {
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
    return { header, width: cells.length, ...places, ...(this.kind === 'none' && { targets: [] }) };
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

  private placesOf(names: readonly string[], named: boolean): { columns: Place[]; targets: Place[] } {
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
        `${this.where} has the columns ${quotedList(called)}, each of which may be the one to predict. Expected --label with the name of one.`,
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
  ): { columns: Place[]; targets: Place[] } {
    const codes = (values: readonly string[] | undefined) => values && new Map(values.map((value, i) => [value, i]));
    const like = (column: TableColumn, at: number): Place => ({
      name: column.name,
      at,
      values: codes(column.values) ?? null,
      closed: true,
    });
    const target = ({ name, classes }: TableForm['targets'][number], at: number): Place => ({
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
        `${this.where} has ${names.length} ${names.length === 1 ? 'column' : 'columns'}. Expected ${columns.length} for the network, or ${all} with a label.`,
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
