import { type Command, Option } from 'commander';
import { compile, evaluate, type InferenceMode, type Model, type Split } from '../src/index.ts';
import { DATASET_NAMES, loadDataset } from '../src/platform/node/index.ts';
import { count } from './options.ts';
import { print, printJson } from './output.ts';
import { millions, percent, table } from './table.ts';
import { MODES, runUser, type UseFlags, useRun } from './use-run.ts';

interface EvaluateFlags extends UseFlags {
  data?: string;
  dataDir?: string;
  part: keyof Split;
  mode: InferenceMode | 'all';
  samples: number;
  json?: boolean;
}

/** `flipgrad evaluate`. */
export function evaluateCommand(): Command {
  return runUser('evaluate', 'Measure a trained run on data: its error and its work, in one mode or in all.')
    .option('--data <name>', `${DATASET_NAMES.join(', ')}, a folder or a CSV file (default: the data of the run)`)
    .option('--data-dir <dir>', 'where data sets lie (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .addOption(new Option('--part <part>', 'of the data').choices(['train', 'valid', 'test']).default('test'))
    .addOption(new Option('--mode <mode>', 'how gates decide').choices([...MODES, 'all']).default('all'))
    .option('--samples <n>', 'draws of the ensemble', count, 10)
    .option('--threads <n>', 'default: one a core', count)
    .action(run);
}

/** What is printed of one mode. */
interface Row {
  readonly mode: InferenceMode;
  /** Share of wrong answers, in [0, 1]. */
  readonly error: number;
  /** Mean cross-entropy in nats, and share of open gates; an ensemble has neither. */
  readonly loss?: number;
  readonly density?: number;
  /** For one example. */
  readonly multiplyAdds: number;
}

async function run(folder: string, flags: EvaluateFlags): Promise<void> {
  const { part, mode, samples, json } = flags;
  await useRun(folder, flags, async ({ run: opened, model, from }) => {
    const { data } = opened.record;
    const split = await loadDataset(flags.data ?? data.source, { dataDir: flags.dataDir, seed: data.seed });
    const modes = mode === 'all' ? MODES : [mode];
    const rows = modes.map((one) => measure(model, split[part], one, samples));
    const about = { weights: from, data: split[part].name, part, examples: split[part].count, dense: model.cost.dense };
    if (json ?? !process.stdout.isTTY) for (const row of rows) printJson({ ...row, ...about });
    else
      print(
        `${about.examples} examples of ${about.data} (${part}), weights: ${from}; dense: ${millions(about.dense)} multiply-adds\n${rowsTable(rows)}\n`,
      );
  });
}

function measure(model: Model, data: Split[keyof Split], mode: InferenceMode, samples: number): Row {
  if (mode === 'ensemble') return { mode, ...compile(model, { mode, samples }).evaluate(data) };
  const { error, loss, density, flops } = evaluate(model, data, { mode });
  return { mode, error, loss, density, multiplyAdds: flops.executed };
}

const rowsTable = (rows: readonly Row[]): string =>
  table([
    ['mode', 'error', 'loss', 'open', 'multiply-adds'],
    ...rows.map(({ mode, error, loss, density, multiplyAdds }) => [
      mode,
      percent(error),
      loss === undefined ? '–' : loss.toFixed(4),
      density === undefined ? '–' : percent(density, 1),
      millions(multiplyAdds),
    ]),
  ]);
