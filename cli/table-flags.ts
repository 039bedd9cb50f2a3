import type { Command } from 'commander';
import type { Loaded, TableLoadOptions } from '../src/platform/node/index.ts';
import type { AllSettings, SettingName } from '../src/runs/train-settings.ts';
import { UsageError } from './exit.ts';
import { flagOf } from './flag-of.ts';
import { plainLine, printJson } from './output.ts';
import type { Progress } from './progress.ts';
import { addSetting } from './settings.ts';

/** Flags that say how a table is read: of one label, and of several targets. */
const ONE_LABEL = [
  'label',
  'missing',
  'standardize',
  'categorical',
  'header',
] as const satisfies readonly SettingName[];
const TABLE_FLAGS = ['target', ...ONE_LABEL] as const;

export type TableFlags = Partial<Pick<AllSettings, (typeof ONE_LABEL)[number]>>;

/** Adds those of one label to a command that classifies. */
export function withTable(command: Command): Command {
  for (const name of ONE_LABEL) addSetting(command, name);
  return command;
}

/** How tables are read. @throws UsageError for --label and --target */
export function tableOptions({
  label,
  target,
  missing,
  standardize,
  categorical,
  header,
}: TableFlags & Partial<Pick<AllSettings, 'target'>>): TableLoadOptions {
  if (label !== undefined && target !== undefined)
    throw new UsageError('--label and --target both name the column to predict. Expected one of them.');
  const targets = target ?? (label === undefined ? undefined : [label]);
  return {
    ...(targets && { targets }),
    ...(missing && { missing }),
    ...(standardize && { standardize }),
    ...(categorical && { categorical }),
    ...(header !== undefined && { header: header === 'yes' }),
  };
}

/** @throws UsageError for a flag that says how a table is read, where a run says it */
export function checkOfRun(given: (name: string) => boolean): void {
  const wrong = TABLE_FLAGS.find(given);
  if (wrong !== undefined)
    throw new UsageError(`${flagOf(wrong)} and --run both say how the data are read. Expected one of them.`);
}

/** @throws UsageError for a flag that says how a table is read, where the data are no table */
export function checkNoTable(given: (name: string) => boolean, source: string): void {
  const wrong = TABLE_FLAGS.find(given);
  if (wrong !== undefined)
    throw new UsageError(
      `${flagOf(wrong)} says how a table is read, and the data "${source}" are no table. Expected a CSV file as --data, or no ${flagOf(wrong)}.`,
    );
}

/** What was understood of a table. */
export function tellTable(
  { json, progress }: { readonly json: boolean; readonly progress: Progress },
  { told, warnings = [], reading }: Pick<Loaded, 'told' | 'warnings' | 'reading'>,
): void {
  if (!told) return;
  if (json) printJson({ event: 'data', told, warnings, columns: reading?.columns.length });
  else for (const line of [...told, ...warnings]) progress.print(plainLine(line));
}
