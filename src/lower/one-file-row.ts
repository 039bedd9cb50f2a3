/** What an exported file needs to read rows as its run read its table. Plain JSON. */
export interface PortableTable {
  /** Of categories their values, a number 0 or 1 for each; of numbers none. */
  readonly columns: readonly { readonly name: string; readonly values?: readonly string[] }[];
  /** A number times this is an input. */
  readonly scale: number;
  /** What stands for a missing value; absent: missing values are refused. */
  readonly fill?: readonly number[];
  /** What is taken off every number, and what the rest is divided by. */
  readonly center?: readonly number[];
  readonly spread?: readonly number[];
  /** Words for nothing, in lower case. */
  readonly missing: readonly string[];
}

/** A cell of a row: a number, a text, or nothing. */
export type PortableCell = number | string | boolean | null | undefined;

/** A row by the names of its columns, in any case, or in their order. */
export type PortableRow = ArrayLike<PortableCell> | Readonly<Record<string, PortableCell>>;

/**
 * What reads rows in exported files. Its text is copied into the file, so that it uses nothing from outside itself. Numbers are rounded to
 * Float32 where the library rounds them.
 * @returns the network's inputs for a row; it throws a RangeError for a column that is not there, and a value that cannot be
 */
export function createRowReader({
  columns,
  scale,
  fill,
  center,
  spread,
  missing,
}: PortableTable): (row: PortableRow) => Float64Array {
  const names = columns.map(({ name }) => name);
  const width = columns.reduce((sum, { values }) => sum + (values === undefined ? 1 : values.length), 0);
  const some = (words: readonly string[]): string =>
    words.length > 8 ? `${words.slice(0, 8).join(', ')}, … ${words.length} in all` : words.join(', ');
  const key = (name: string): string => name.trim().toLowerCase();
  const isList = (row: PortableRow): row is ArrayLike<PortableCell> => Array.isArray(row) || ArrayBuffer.isView(row);

  const cellsOf = (row: PortableRow): PortableCell[] => {
    if (isList(row)) {
      if (row.length === columns.length) return Array.from(row);
      throw new RangeError(
        `predict was given ${row.length} values. Expected ${columns.length}: ${some(names)}; or an object with these names.`,
      );
    }
    if (typeof row !== 'object' || row === null)
      throw new RangeError(`predict was given ${row}. Expected a row: an object or a list of ${some(names)}.`);
    const given = new Map(Object.entries(row).map(([name, cell]): [string, PortableCell] => [key(name), cell]));
    return names.map((name) => {
      if (!given.has(key(name))) throw new RangeError(`The row has no "${name}". Expected ${some(names)}.`);
      return given.get(key(name));
    });
  };

  const isMissing = (cell: PortableCell): boolean =>
    cell === undefined ||
    cell === null ||
    (typeof cell === 'number' ? Number.isNaN(cell) : missing.includes(key(String(cell))));

  return (row) => {
    const out = new Float64Array(width);
    let at = 0;
    const put = (value: number): void => {
      const x = Number.isNaN(value) && fill !== undefined ? fill[at] : value;
      const stored = center !== undefined && spread !== undefined ? (x - center[at]) / spread[at] : x;
      out[at++] = Math.fround(Math.fround(stored) * scale);
    };
    cellsOf(row).forEach((cell, c) => {
      const { name, values } = columns[c];
      const nothing = isMissing(cell);
      if (nothing && fill === undefined)
        throw new RangeError(
          `"${name}" has no value, and the run was trained on rows with values alone. Expected one.`,
        );
      if (values === undefined) {
        const value = nothing ? Number.NaN : Math.fround(Number(cell));
        if (!nothing && !Number.isFinite(value)) throw new RangeError(`"${name}" is "${cell}". Expected a number.`);
        put(value);
        return;
      }
      const place = nothing ? -1 : values.indexOf(String(cell).trim());
      if (!nothing && place < 0) throw new RangeError(`"${name}" is "${cell}". Expected one of ${some(values)}.`);
      for (let i = 0; i < values.length; i++) put(nothing ? Number.NaN : i === place ? 1 : 0);
    });
    return out;
  };
}
