import { statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  type EpochColumn,
  epochColumns,
  evaluateEnsemble,
  evaluateTask,
  figureText,
  type InferenceMode,
  type Model,
  type Parts,
  readingOf,
  type Task,
  type TaskData,
} from '../src/index.ts';
import { isText } from '../src/platform/node/index.ts';
import { checkSameData } from '../src/runs/train-run.ts';
import { UsageError } from './exit.ts';
import { count } from './options.ts';
import { print, printJson } from './output.ts';
import { dataOfRun, isNamed } from './run-folder.ts';
import { millions, percent, table } from './table.ts';
import { MODES, runUser, type UseFlags, useRun } from './use-run.ts';

interface EvaluateFlags extends UseFlags {
  data?: string;
  dataDir?: string;
  part?: keyof Parts | 'all';
  mode: InferenceMode | 'all';
  samples: number;
  json?: boolean;
}

/** `flipgrad evaluate`. */
export function evaluateCommand(): Command {
  return runUser(
    'evaluate',
    'Measure a trained run on data: the metrics of its task and its work, in one mode or in all.',
  )
    .option('--data <name>', 'a data set or a path, as for `flipgrad train` (default: the data of the run)')
    .option('--data-dir <dir>', 'folder of data sets (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .addOption(
      new Option('--part <part>', 'part of the data (default: all of a file given by --data, else test)').choices([
        'train',
        'valid',
        'test',
        'all',
      ]),
    )
    .addOption(new Option('--mode <mode>', 'how gates decide').choices([...MODES, 'all']).default('all'))
    .option('--samples <n>', 'draws of the ensemble', count, 10)
    .option('--threads <n>', 'default: one per core', count)
    .action(run);
}

/** Is it a file of one's own, and no folder or data set by name? */
function isFile(source: string): boolean {
  if (isNamed(source)) return false;
  const facts = statSync(isText(source) ? source.slice(source.indexOf(':') + 1) : source, { throwIfNoEntry: false });
  return facts?.isFile() ?? false;
}

/** What is printed of one mode. */
interface Row {
  /** None for tasks that measure by passes of their own. */
  readonly mode?: InferenceMode;
  readonly metrics: Readonly<Record<string, number>>;
  /** Mean of what is minimised, and share of open gates; an ensemble has neither. */
  readonly loss?: number;
  readonly density?: number;
  /** For one example. */
  readonly multiplyAdds?: number;
}

async function run(folder: string, flags: EvaluateFlags): Promise<void> {
  const { mode, samples, json, dataDir } = flags;
  const isOneFile = flags.data !== undefined && isFile(flags.data);
  const part = flags.part ?? (isOneFile ? 'all' : 'test');
  if (part === 'all' && !isOneFile)
    throw new UsageError(
      `--part all is all of a file, and ${flags.data === undefined ? 'no --data names one' : `--data ${flags.data} is none`}. Expected --data FILE, or train, valid or test.`,
    );
  await useRun(folder, flags, async ({ run: opened, model, from, task }) => {
    const parts = await dataOfRun(opened, task, { dataDir, whole: part === 'all' }, flags.data);
    if (flags.data === undefined) checkSameData(opened, parts);
    const data = part === 'all' ? parts.test : parts[part];
    const rows = task.assess
      ? [{ metrics: assessed(model, data, task, part === 'all' ? 'test' : part) }]
      : (mode === 'all' ? MODES : [mode]).map((one) => measure(model, data, task, one, samples));
    const about = {
      weights: from,
      data: data.name,
      part,
      examples: data.count,
      dense: (task.points?.(data) ?? 1) * model.cost.dense,
    };
    if (json ?? !process.stdout.isTTY)
      for (const { metrics, ...row } of rows) printJson({ ...row, ...metrics, ...about });
    else
      print(
        `${about.examples} examples of ${about.data} (${part}), weights: ${from}; dense: ${millions(about.dense)} multiply-adds\n${rowsTable(rows, epochColumns(readingOf(task)))}\n`,
      );
  });
}

/** By the task's own passes. */
function assessed(model: Model, data: TaskData, task: Task, part: keyof Parts): Row['metrics'] {
  task.check(model, data);
  const assessing = task.assess?.(model, data, part);
  for (;;) {
    const { done, value } = (assessing as NonNullable<typeof assessing>).next();
    if (done) return value;
  }
}

function measure(model: Model, data: TaskData, task: Task, mode: InferenceMode, samples: number): Row {
  if (mode === 'ensemble') return { mode, ...evaluateEnsemble(model, data, task, samples) };
  const { metrics, loss, density, flops } = evaluateTask(model, data, task, { mode });
  return { mode, metrics, loss, density, multiplyAdds: flops.executed };
}

function rowsTable(rows: readonly Row[], columns: readonly EpochColumn[]): string {
  const names = [...new Set(rows.flatMap(({ metrics }) => Object.keys(metrics)))];
  const figureOf = (name: string) => columns.find(({ metric }) => metric === name)?.figure ?? { title: name };
  const cell = (value: number | undefined, text: (value: number) => string) =>
    value === undefined ? '–' : text(value);
  return table([
    ['mode', ...names.map((name) => figureOf(name).title), 'loss', 'open', 'multiply-adds'],
    ...rows.map(({ mode = '–', metrics, loss, density, multiplyAdds }) => [
      mode,
      ...names.map((name) => cell(metrics[name], (value) => figureText(figureOf(name), value))),
      cell(loss, (value) => value.toFixed(4)),
      cell(density, (share) => percent(share, 1)),
      cell(multiplyAdds, millions),
    ]),
  ]);
}
