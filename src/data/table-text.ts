import { listed, quoted } from '../math/text.ts';
import type { RawTable } from './table.ts';
import type { TargetKind } from './table-form.ts';
import type { TableReading } from './table-reading.ts';

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
      ? `${asOne(name)} (${counted(classes.length, 'class', 'classes')}: ${listed(classes.map(asOne))})`
      : asOne(name),
  );
  const how = center ? ', standardised' : scale !== 1 ? ', bytes from 0 to 255 taken as 0 to 1' : '';
  return `predicts ${told.join(', ')}${targetCenter ? ' (standardised for training)' : ''} from ${counted(columns.length, 'feature', 'features')}: ${listed(columns.map(({ name }) => asOne(name)))}${how}`;
}

/** The labels of a table of classes, in order. */
const labelsOf = ({ targets = new Float32Array() }: RawTable): string[] =>
  [...new Set(targets)].sort((a, b) => a - b).map(String);

/** What was understood of a table, for people. */
export function tableText(table: RawTable, reading: TableReading, kind: TargetKind = 'classes'): string[] {
  const { columns, missing } = reading;
  const categories = columns.flatMap(({ name, values }) => (values ? [`${name} (${listed(values, 4)})`] : []));
  const empty = Object.entries(table.empty).map(([name, count]) => `${count} without ${name}`);
  return [
    readingText(reading, kind === 'classes' ? labelsOf(table) : undefined),
    ...(categories.length > 0 ? [`categories, one feature for each value: ${categories.join('; ')}`] : []),
    ...(empty.length > 0 || table.dropped > 0
      ? [
          `${table.count + table.dropped} rows, ${listed(empty)}${missing === 'drop' ? `; ${table.dropped} dropped` : '; filled in with the mean of the training rows'}`,
        ]
      : []),
    ...table.notes,
  ];
}
