import { listed, quoted } from '../math/text.ts';
import type { RawTable } from './table.ts';
import { isWrittenNumber } from './table-cells.ts';
import type { TargetKind } from './table-form.ts';
import { imageOf } from './table-picture.ts';
import { expanded, featureNames, type TableReading, widthOf } from './table-reading.ts';

/** Features whose sizes differ by more train badly as they are. */
const WIDE = 1000;
/** A column of categories with more values than this, and than half of the rows, is taken for names or dates. */
const FEW_VALUES = 10;

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
export const tableWarnings = (
  table: RawTable,
  reading: TableReading,
  train: readonly number[],
  kind: TargetKind = 'classes',
): string[] => [
  ...columnWarnings(table, reading, train),
  ...labelWarnings(reading),
  ...(kind === 'classes' ? classWarnings(table, reading, train) : numberWarnings(table, reading, train)),
];

function columnWarnings(table: RawTable, reading: TableReading, train: readonly number[]): string[] {
  const empty = emptyColumns(table, reading, train);
  const named = reading.columns.filter(
    ({ values }) => values && values.length > FEW_VALUES && values.length > table.count / 2,
  );
  const constant = constantColumns(table, reading, train);
  return [
    ...(empty.length > 0
      ? [`No training row has a value of ${listed(empty)}: it is 0 everywhere, and nothing can be learned from it.`]
      : []),
    ...named.map(
      ({ name, values = [] }) =>
        `The column ${name} has ${values.length} values in ${table.count} rows, and each becomes a feature: names and dates tell nothing about other rows, and rows with other values are refused.`,
    ),
    ...sizeWarnings(table, reading, train),
    // The border of pictures is blank.
    ...(constant.length > 0 && !imageOf(reading)
      ? [`All training rows have one value of ${listed(constant)}: nothing can be learned from it.`]
      : []),
  ];
}

function sizeWarnings(table: RawTable, reading: TableReading, train: readonly number[]): string[] {
  if (reading.center || reading.scale !== 1) return [];
  const width = widthOf(reading);
  const values = expanded(table);
  const sizes = new Float64Array(width);
  for (const r of train)
    for (let i = 0; i < width; i++) {
      const size = Math.abs(values[r * width + i]);
      if (size > sizes[i]) sizes[i] = size;
    }
  const there = [...sizes].filter((size) => size > 0);
  const [least, most] = [Math.min(...there), Math.max(...there)];
  if (!(most > WIDE * least)) return [];
  const names = featureNames(reading);
  return [
    `Features differ in size: ${names[sizes.indexOf(least)]} goes up to ${least}, ${names[sizes.indexOf(most)]} to ${most}. --standardize brings them to one size.`,
  ];
}

function labelWarnings({ targets }: TableReading): string[] {
  const written = targets[0]?.classes?.find(isWrittenNumber);
  return written === undefined
    ? []
    : [
        `The label ${quoted(written)} of ${targets[0].name} is a number with a decimal comma or with signs between thousands, and is taken for a word. Numbers need a decimal point and --task regression.`,
      ];
}

function classWarnings({ targets }: RawTable, reading: TableReading, train: readonly number[]): string[] {
  if (!targets || reading.targets.length !== 1) return [];
  const [{ classes }] = reading.targets;
  const seen = new Set(train.map((row) => targets[row]));
  // Where labels are numbers, the classes are those that some row has.
  const all = classes ? classes.map((_, i) => i) : [...new Set(targets)].sort((a, b) => a - b);
  const name = (label: number) => classes?.[label] ?? String(label);
  const lacking = all.filter((label) => !seen.has(label));
  if (all.length === 1) return [`All rows have one class, ${name(all[0])}: there is nothing to learn.`];
  return lacking.length > 0
    ? [`No training row has the class ${listed(lacking.map(name))}: it cannot be learned.`]
    : [];
}

const numberWarnings = ({ targets }: RawTable, reading: TableReading, train: readonly number[]): string[] =>
  reading.targets.flatMap(({ name }, t, { length }) =>
    targets && train.every((row) => targets[row * length + t] === targets[t])
      ? [`All training rows have ${targets[t]} as ${name}: there is nothing to learn.`]
      : [],
  );
