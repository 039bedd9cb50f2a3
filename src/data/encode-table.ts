import { quoted, quotedList } from '../math/text.ts';
import { DataError, type Dataset, makeDataset } from './dataset.ts';
import {
  checkOneTarget,
  isWrittenNumber,
  type RawTable,
  type TableColumn,
  type TableForm,
  type TargetKind,
} from './table.ts';
import { makeTargets, type TargetDataset } from './targets.ts';

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

export interface EncodeOptions {
  /** Bring targets that are numbers to mean 0 and deviation 1 for training, as measured on the training rows; default false. */
  readonly standardizeTargets?: boolean | undefined;
  /** Bring every column of numbers to mean 0 and deviation 1, as measured on the training rows; default false. */
  readonly standardize?: boolean;
  /** A number times this is an input; default: 1/255 where all are bytes and some over 1, else 1. */
  readonly scale?: number | undefined;
}

/** An image narrower than this is taken for a plain table. */
const SMALLEST_IMAGE_SIDE = 8;
/** Features whose sizes differ by more train badly as they are. */
const WIDE = 1000;
/** A column of categories with more values than this, and than half of the rows, is taken for names or dates. */
const FEW_VALUES = 10;

const sizeOf = ({ values }: TableColumn): number => values?.length ?? 1;

/** Features of one row, categories one by one. */
export const widthOf = ({ columns }: Pick<TableForm, 'columns'>): number =>
  columns.reduce((sum, column) => sum + sizeOf(column), 0);

/** Names of the features, those of categories with their value. */
export const featureNames = ({ columns }: Pick<TableForm, 'columns'>): string[] =>
  columns.flatMap(({ name, values }) => values?.map((value) => `${name}=${value}`) ?? [name]);

/** count × width: categories as 0 and 1, NaN where nothing stood. */
function expanded({ values, count, form }: RawTable): Float32Array {
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

/**
 * The inputs of a network for the bytes of a picture, by how the run read its table: bytes where that held some, else from 0 to 1.
 * @throws DataError for a table of other columns than as many numbers
 */
export function inputsOfPixels(reading: TableReading | undefined, pixels: Uint8Array): Float32Array {
  if (!reading) return Float32Array.from(pixels, (byte) => byte * (1 / 255));
  const { columns, center, spread, scale } = reading;
  if (columns.length !== pixels.length || columns.some(({ values }) => values))
    throw new DataError(
      `A picture of ${pixels.length} pixels was given, and the run was trained on a table of ${columns.length} columns that are none. Expected a row of a table.`,
    );
  const step = 255 / brightest(reading);
  return Float32Array.from(pixels, (byte, i) => {
    const value = byte / step;
    return Math.fround(center && spread ? (value - center[i]) / spread[i] : value) * scale;
  });
}

/** What stands for white in a table of pixels: 255 where it held bytes, else 1. */
export const brightest = ({ scale, center }: TableReading): 1 | 255 =>
  scale !== 1 || center?.some((mean) => mean > 1) ? 255 : 1;

/** The image that the rows of a table may be: as many numbers as a square has pixels, none under black or over white on average. */
export function imageOf({ columns, center = [] }: TableReading): { width: number; height: number } | undefined {
  if (columns.some(({ values }) => values) || center.some((mean) => mean < 0 || mean > 255)) return undefined;
  return squareImage(columns.length).image;
}

/** The image that pixel bytes are, if a square one. */
function squareImage(width: number): { image?: { width: number; height: number } } {
  const side = Math.round(Math.sqrt(width));
  return side >= SMALLEST_IMAGE_SIDE && side * side === width ? { image: { width: side, height: side } } : {};
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

const some = (words: readonly string[], most = 8): string =>
  words.length <= most ? words.join(', ') : `${words.slice(0, most).join(', ')}, … ${words.length} in all`;

/** A name in a list. */
const asOne = (name: string): string => (/[,;]/.test(name) ? quoted(name) : name);

const counted = (count: number, one: string, several: string): string => `${count} ${count === 1 ? one : several}`;

/** How a table is read, for people: the label or targets, and the features. @param labels numbers that are classes */
export function readingText(
  { targets, columns, center, targetCenter, scale }: TableReading,
  labels?: readonly string[],
): string {
  const told = targets.map(({ name, classes = labels }) =>
    classes
      ? `${asOne(name)} (${counted(classes.length, 'class', 'classes')}: ${some(classes.map(asOne))})`
      : asOne(name),
  );
  const how = center ? ', standardised' : scale !== 1 ? ', bytes from 0 to 255 taken as 0 to 1' : '';
  return `to be told: ${told.join(', ')}${targetCenter ? ', standardised for training' : ''}; ${counted(columns.length, 'feature', 'features')}: ${some(columns.map(({ name }) => asOne(name)))}${how}`;
}

/** The labels of a table of classes, in order. */
const labelsOf = ({ targets = new Float32Array() }: RawTable): string[] =>
  [...new Set(targets)].sort((a, b) => a - b).map(String);

/** What was understood of a table, for people. */
export function tableText(table: RawTable, reading: TableReading, kind: TargetKind = 'classes'): string[] {
  const { columns, missing } = reading;
  const categories = columns.flatMap(({ name, values }) => (values ? [`${name} (${some(values, 4)})`] : []));
  const empty = Object.entries(table.empty).map(([name, count]) => `${count} without ${name}`);
  return [
    readingText(reading, kind === 'classes' ? labelsOf(table) : undefined),
    ...(categories.length > 0 ? [`categories, a feature each value: ${categories.join('; ')}`] : []),
    ...(empty.length > 0 || table.dropped > 0
      ? [
          `${table.count + table.dropped} rows, ${some(empty)}${missing === 'drop' ? `; ${table.dropped} dropped` : '; the mean of the training rows stands there'}`,
        ]
      : []),
    ...table.notes,
  ];
}

/** Columns that no training row has a value of. */
function emptyColumns({ values }: RawTable, { columns }: TableReading, train: readonly number[]): string[] {
  const { length } = columns;
  return columns.flatMap(({ name }, c) => (train.every((row) => Number.isNaN(values[row * length + c])) ? [name] : []));
}

/** Columns of which all training rows that have a value have the same. */
function constantColumns({ values }: RawTable, { columns }: TableReading, train: readonly number[]): string[] {
  const { length } = columns;
  return columns.flatMap(({ name }, c) => {
    const present = train.map((row) => values[row * length + c]).filter((value) => !Number.isNaN(value));
    return present.length > 0 && train.length > 1 && present.every((value) => value === present[0]) ? [name] : [];
  });
}

/** What a person should look at before training, a sentence each. */
export function tableWarnings(
  table: RawTable,
  reading: TableReading,
  train: readonly number[],
  kind: TargetKind = 'classes',
): string[] {
  const { targets } = table;
  const width = widthOf(reading);
  const warnings: string[] = [];
  const empty = emptyColumns(table, reading, train);
  if (empty.length > 0)
    warnings.push(
      `No training row has a value of ${some(empty)}: it is 0 everywhere, and nothing can be learned from it.`,
    );
  for (const { name, values } of reading.columns)
    if (values && values.length > FEW_VALUES && values.length > table.count / 2)
      warnings.push(
        `The column ${name} has ${values.length} values in ${table.count} rows, and each becomes a feature: names and dates tell nothing about other rows, and rows with other values are refused.`,
      );
  if (!reading.center && reading.scale === 1) {
    const values = expanded(table);
    const sizes = new Float64Array(width);
    for (const r of train)
      for (let i = 0; i < width; i++) {
        const size = Math.abs(values[r * width + i]);
        if (size > sizes[i]) sizes[i] = size;
      }
    const there = [...sizes].filter((size) => size > 0);
    const [least, most] = [Math.min(...there), Math.max(...there)];
    if (most > WIDE * least) {
      const names = featureNames(reading);
      warnings.push(
        `Features differ in size: ${names[sizes.indexOf(least)]} goes up to ${least}, ${names[sizes.indexOf(most)]} to ${most}. --standardize brings them to one size.`,
      );
    }
  }
  const constant = constantColumns(table, reading, train);
  // The border of pictures is blank.
  if (constant.length > 0 && !imageOf(reading))
    warnings.push(`All training rows have one value of ${some(constant)}: nothing can be learned from it.`);
  const classes = reading.targets[0]?.classes;
  const written = classes?.find(isWrittenNumber);
  if (written !== undefined)
    warnings.push(
      `The label ${quoted(written)} of ${reading.targets[0].name} is a number with a decimal comma or with signs between thousands, and is taken for a word. Numbers need a decimal point and --task regression.`,
    );
  if (targets && kind === 'classes' && reading.targets.length === 1) {
    const seen = new Set(train.map((row) => targets[row]));
    // Where labels are numbers, the classes are those that some row has.
    const all = classes ? classes.map((_, i) => i) : [...new Set(targets)].sort((a, b) => a - b);
    const name = (label: number) => classes?.[label] ?? String(label);
    const lacking = all.filter((label) => !seen.has(label));
    if (all.length === 1) warnings.push(`All rows have one class, ${name(all[0])}: there is nothing to learn.`);
    else if (lacking.length > 0)
      warnings.push(`No training row has the class ${some(lacking.map(name))}: it cannot be learned.`);
  }
  if (targets && kind === 'numbers')
    reading.targets.forEach(({ name }, t, { length }) => {
      const first = targets[t];
      if (train.every((row) => targets[row * length + t] === first))
        warnings.push(`All training rows have ${first} as ${name}: there is nothing to learn.`);
    });
  return warnings;
}
