import { type Command, Option } from 'commander';
import { type Answer, type Hold, type InferenceMode, predictTask, type TaskPrediction } from '../src/index.ts';
import { isTold, messageOf, UsageError } from './exit.ts';
import { count, holds } from './options.ts';
import { print, printError, printJson } from './output.ts';
import { inputsOf, namesIn } from './predict-inputs.ts';
import { millions, percent, table } from './table.ts';
import { MODES, runUser, type UseFlags, useRun } from './use-run.ts';

interface PredictFlags extends UseFlags {
  mode: InferenceMode;
  samples: number;
  hold: Hold[];
  json?: boolean;
}

/** `flipgrad predict`. */
export function predictCommand(): Command {
  return runUser(
    'predict',
    'Ask a trained run about pictures, rows of numbers, sequences or a text, and tell which gates fired.',
  )
    .argument('<files...>', 'PNG pictures, CSV files with one example per row, JSON lines of sequences, or texts')
    .addOption(new Option('--mode <mode>', 'how gates decide').choices(MODES).default('threshold'))
    .option('--samples <n>', 'draws of the ensemble', count, 10)
    .option('--hold <units>', 'hold gates open or closed, as SITE:UNIT=open or =closed, separated by commas', holds, [])
    .action(run);
}

async function run(folder: string, files: string[], flags: PredictFlags): Promise<void> {
  const { mode, samples, hold, json = !process.stdout.isTTY } = flags;
  await useRun(folder, { ...flags, threads: 1 }, async ({ run: opened, model, task }) => {
    const { tell, data: kind } = task;
    if (!tell || !kind)
      throw new UsageError(
        `The task "${task.name}" does not say how a prediction reads. Expected \`tell\` and \`data\`.`,
      );
    const answers: Told[] = [];
    const failed: Error[] = [];
    const answer = async (file: string): Promise<void> => {
      const { data, done } = await inputsOf(kind, file, opened.record);
      if (done.length > 0 && !json) printError(`${file}: ${done.join('; ')}\n`);
      let row = 0;
      for (const prediction of predictTask(model, data, task, { mode, samples, hold })) {
        const answer = tell(prediction.values, prediction.columns, namesIn(opened.record, kind));
        const told: Told = {
          file,
          row: ++row,
          ...answer,
          answer,
          multiplyAdds: prediction.multiplyAdds,
          gates: gatesOf(prediction, mode),
          dense: model.cost.dense,
          done,
        };
        const { answer: _, ...line } = told;
        if (json) printJson(line);
        else answers.push(told);
      }
    };
    for (const file of files) {
      try {
        await answer(file);
      } catch (error) {
        // One file of many does not end the batch.
        const failure = namedFailure(error, file);
        failed.push(failure);
        if (files.length > 1 && json) printJson({ file, error: failure.message });
        else if (files.length > 1) printError(`flipgrad: ${failure.message}\n`);
      }
    }
    if (!json && answers.length > 0) print(`${answersTable(answers)}\n`);
    if (failed.length > 0)
      throw files.length === 1 ? failed[0] : new UsageError(failedText(failed.length, files.length));
  });
}

/** @returns an error that names the file, of an input that cannot be answered @throws an error that is the program's own fault */
function namedFailure(error: unknown, file: string): Error {
  if (!isTold(error)) throw error;
  const message = messageOf(error);
  return new UsageError(message.includes(file) ? message : `${file}: ${message}`);
}

const failedText = (failed: number, files: number): string =>
  failed === files
    ? `None of the ${files} files could be answered.`
    : `${failed === 1 ? 'One' : failed} of ${files} files could not be answered; the others are.`;

interface Told {
  readonly file: string;
  readonly row: number;
  /** By the task. */
  readonly answer: Answer;
  readonly multiplyAdds: number;
  readonly gates: ReturnType<typeof gatesOf>;
  /** Multiply-adds of the network without gates. */
  readonly dense: number;
  readonly done: readonly string[];
}

function gatesOf({ open }: TaskPrediction, mode: InferenceMode) {
  return open.map(({ site, units, shares }) => {
    // Of a sequence, the points together.
    const most = Array.from({ length: units }, (_, unit) =>
      shares.reduce((share, own, i) => (i % units === unit ? Math.max(share, own) : share), 0),
    );
    return {
      site,
      of: units,
      // In most draws.
      fired: [...most.keys()].filter((unit) => most[unit] > 0.5),
      ...(mode === 'ensemble' && { shares: most }),
    };
  });
}

/** Columns of an answer that a table has room for. */
const shownOf = (answer: Answer): string[] =>
  Object.keys(answer).filter((name) => !Array.isArray(answer[name]) || name === 'labels' || name === 'values');

function answersTable(answers: readonly Told[]): string {
  const names = [...new Set(answers.flatMap(({ answer }) => shownOf(answer)))];
  return table(
    [
      ['file', 'row', ...names, 'multiply-adds', 'gates that fired'],
      ...answers.map(({ file, row, answer, multiplyAdds, dense, gates }) => [
        file,
        String(row),
        ...names.map((name) => valueText(name, answer[name])),
        `${millions(multiplyAdds)} of ${millions(dense)}`,
        gates.map(({ fired, of, site }) => `${site} ${fired.length} of ${of}: ${fired.join(' ')}`).join('; '),
      ]),
    ],
    { left: true },
  );
}

function valueText(name: string, value: Answer[string] | undefined): string {
  if (value === undefined) return '–';
  if (typeof value === 'number' && name === 'probability') return percent(value, 1);
  return Array.isArray(value) ? value.map((one) => numberText(one)).join(' ') : numberText(value as string | number);
}

const numberText = (value: string | number): string =>
  typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(5) : String(value);
