import { type Command, Option } from 'commander';
import {
  type CompiledModel,
  compile,
  fitPicture,
  type Hold,
  type InferenceMode,
  type RunRecord,
} from '../src/index.ts';
import { readDataFile, readNumbers, readPng, watchLines } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { count, holds } from './options.ts';
import { print, printError, printJson } from './output.ts';
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
  return runUser('predict', 'Classify pictures or rows of numbers with a trained run, and tell which gates fired.')
    .argument('<files...>', 'PNG pictures, or CSV files with a row an example')
    .addOption(new Option('--mode <mode>', 'how gates decide').choices(MODES).default('threshold'))
    .option('--samples <n>', 'draws of the ensemble', count, 10)
    .option('--hold <units>', 'hold gates open or closed, as SITE:UNIT=open or =closed, separated by commas', holds, [])
    .action(run);
}

/** Rows of inputs of one file, and what was done to make them. */
interface Inputs {
  readonly rows: readonly Float32Array[];
  readonly done: readonly string[];
}

async function run(folder: string, files: string[], flags: PredictFlags): Promise<void> {
  const { mode, samples, hold, json = !process.stdout.isTTY } = flags;
  await useRun(folder, { ...flags, threads: 1 }, async ({ run: opened, model }) => {
    const compiled = compile(model, { mode, samples });
    const answers: Answer[] = [];
    for (const file of files) {
      const { rows, done } = await inputsOf(file, opened.record);
      if (done.length > 0 && !json) printError(`${file}: ${done.join('; ')}\n`);
      rows.forEach((row, i) => {
        const answer = { file, row: i + 1, ...answerFor(compiled, row, hold), dense: model.cost.dense, done };
        if (json) printJson(answer);
        else answers.push(answer);
      });
    }
    if (!json) print(`${answersTable(answers)}\n`);
  });
}

interface Answer extends ReturnType<typeof answerFor> {
  readonly file: string;
  readonly row: number;
  /** Multiply-adds of the network without gates. */
  readonly dense: number;
}

function answerFor(compiled: CompiledModel, row: Float32Array, hold: readonly Hold[]) {
  const { classes, probabilities, multiplyAdds, open } = compiled.predict(row, { hold });
  return {
    class: classes[0],
    probability: probabilities[classes[0]],
    probabilities: [...probabilities],
    multiplyAdds,
    gates: open.map(({ site, gates, shares }) => ({
      site,
      of: gates.length,
      fired: [...gates.keys()].filter((gate) => gates[gate] === 1),
      // Over the draws of an ensemble.
      ...(compiled.mode === 'ensemble' && { shares: [...shares] }),
    })),
  };
}

function answersTable(answers: readonly Answer[]): string {
  return table(
    [
      ['file', 'row', 'class', 'probability', 'multiply-adds', 'gates that fired'],
      ...answers.map((answer) => [
        answer.file,
        String(answer.row),
        String(answer.class),
        percent(answer.probability, 1),
        `${millions(answer.multiplyAdds)} of ${millions(answer.dense)}`,
        answer.gates.map(({ fired, of, site }) => `${site} ${fired.length} of ${of}: ${fired.join(' ')}`).join('; '),
      ]),
    ],
    { left: true },
  );
}

const PNG = [137, 80, 78, 71];

async function inputsOf(file: string, record: RunRecord): Promise<Inputs> {
  const isPicture = (bytes: Uint8Array): boolean => PNG.every((byte, i) => bytes[i] === byte);
  const watch = watchLines(file);
  let picture = false;
  const bytes = await readDataFile(file, (piece, at, length) => {
    if (at === 0) picture = isPicture(piece);
    if (!picture) watch(piece, at, length);
  });
  return isPicture(bytes) ? fromPicture(bytes, file, record) : fromTable(bytes, file, record);
}

function fromPicture(bytes: Uint8Array, file: string, { data }: RunRecord): Inputs {
  const side = Math.sqrt(data.width);
  const shape = data.image ?? (Number.isInteger(side) ? { width: side, height: side } : undefined);
  if (!shape)
    throw new UsageError(
      `${file} is a picture, and the run takes ${data.width} numbers, which are none; a CSV file would do.`,
    );
  const { pixels, done } = fitPicture(readPng(bytes, file), shape);
  return { rows: [Float32Array.from(pixels, (byte) => byte / 255)], done };
}

function fromTable(bytes: Uint8Array, file: string, { data }: RunRecord): Inputs {
  const { values, width, labelled, largest } = readNumbers(bytes, file, data.width);
  const done = labelled === undefined ? [] : [`column ${labelled + 1} left out: the label`];
  // The run's own pixels are bytes; a file with fractions up to 1 is scaled already.
  const scaled = data.scale !== 1 && largest <= 1;
  if (scaled) done.push('taken as scaled already: no number is over 1');
  const scale = scaled ? 1 : data.scale;
  const rows = Array.from({ length: values.length / width }, (_, r) =>
    values.slice(r * width, (r + 1) * width).map((value) => value * scale),
  );
  return { rows, done };
}
