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

/** What is done about cells without a value: see `TableOptions.missing`. */
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
  /** The columns to predict; for classes that are words, the words in order. */
  readonly targets: readonly { readonly name: string; readonly classes?: readonly string[] }[];
  readonly missing: Missing;
}

/** What the targets are: a class each, or numbers. */
export type TargetKind = 'classes' | 'numbers';

/** With `none`, the columns of targets are left unread. */
export type ReadKind = TargetKind | 'none';
