import { Command, Option } from 'commander';
import {
  adam,
  dense,
  digitsSplit,
  type Interval,
  type RaceMeasure,
  type RacePoint,
  type RaceStanding,
  raceArm,
  type Split,
  slice,
  watchRace,
} from '../src/index.ts';
import { createEngine, DATASET_NAMES, type Loaded, loadClasses } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { givenIn } from './flag-of.ts';
import { untilInterrupted } from './interrupt.ts';
import { count, neurons, positive, wholeNumber } from './options.ts';
import { print, printJson } from './output.ts';
import { namesOfPaths, neuronsOf, withUse } from './own-code.ts';
import { duration, terminalProgress } from './progress.ts';
import { table } from './table.ts';
import { checkNoTable, type TableFlags, tableOptions, tellTable, withTable } from './table-flags.ts';
import { checkOut, writeFile } from './write-file.ts';

interface RaceFlags extends TableFlags {
  neuron: string[];
  by: RaceMeasure;
  budget: number;
  points: number;
  units: number;
  data: string;
  dataDir?: string;
  examples: number;
  valid: number;
  batch: number;
  lr: number;
  seed: number;
  seeds: number;
  sampled?: boolean;
  threads?: number;
  plot?: string;
  use?: string[];
  json?: boolean;
}

/** `flipgrad race`: what the lab's pages Race and Noise show. */
export function raceCommand(): Command {
  const command = new Command('race')
    .description('Train one hidden layer with several neurons side by side, at equal evaluations, seconds or steps.')
    .exitOverride()
    .option(
      '--neuron <names>',
      'two or more neurons, separated by commas; NAME*K averages the gradients of K passes',
      neurons,
      ['straight-through', 'stochastic-binary', 'rloo', 'disarm'],
    )
    .addOption(
      new Option('--by <measure>', 'what is equal for all')
        .choices(['evaluations', 'seconds', 'steps'])
        .default('evaluations'),
    )
    .option('--budget <n>', 'evaluations, seconds or steps for each neuron and seed', positive, 600)
    .option('--points <n>', 'measurements during the training', count, 20)
    .option('--units <n>', 'hidden units', count, 64)
    .option('--data <name>', `${DATASET_NAMES.join(', ')}, a folder of IDX files, or a CSV file`, 'digits')
    .option('--data-dir <dir>', 'folder of data sets (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .option('--examples <n>', 'training examples', count, 1000)
    .option('--valid <n>', 'validation examples', count, 500)
    .option('--batch <n>', 'examples in a minibatch', count, 50)
    .option('--lr <rate>', "Adam's learning rate", positive, 0.003)
    .option('--seed <n>', 'seed of the data generator, and the first seed of weights, order and draws', wholeNumber, 1)
    .option('--seeds <n>', 'networks of each neuron, with consecutive seeds', count, 3)
    .option('--sampled', 'measure networks with their noise on')
    .option('--threads <n>', 'default: one per core', count)
    .option('--plot <file>', 'write the curves to this file (SVG): errors, losses and the variance of gradients')
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .action((flags: RaceFlags, self: Command) => untilInterrupted((signal) => race(flags, self, signal)));
  return withUse(withTable(command));
}

async function race(given: RaceFlags, command: Command, signal: AbortSignal): Promise<void> {
  checkOut(given.plot);
  const flags = await namesOfPaths(given);
  const progress = terminalProgress();
  const json = flags.json ?? !process.stdout.isTTY;
  const { neuron, by, budget, points, units, batch, lr, seed, seeds } = flags;
  try {
    const own = await neuronsOf(flags.use);
    // Before data are fetched.
    for (const text of neuron) raceArm(text, own);
    const { data, about } = await dataOf(flags);
    if (!about.reading) checkNoTable(givenIn(command), flags.data);
    tellTable({ json, progress }, about);
    const start = performance.now();
    const measured: RacePoint[] = [];
    let done = 0;
    const events = watchRace({
      data,
      layersOf: (name) => [dense(units, name, 'hidden'), dense(data.train.classes, 'linear', 'output')],
      // The build that a browser has too, without BLAS: the lab's numbers.
      makeEngine: () => createEngine({ simd: 'simd', ...(flags.threads !== undefined && { threads: flags.threads }) }),
      makeOptimizer: () => adam({ learningRate: lr }),
      arms: neuron,
      neurons: own,
      seeds: Array.from({ length: seeds }, (_, i) => seed + i),
      mode: flags.sampled ? 'sample' : 'mean-field',
      signal,
      ...{ by, budget, points, batch },
    });
    for await (const event of events) {
      if (event.event === 'point') measured.push(event);
      if (json) printJson(event);
      else if (event.event === 'result') {
        progress.clear();
        print(`${standings(event.standings)}\n`);
      } else if (event.event === 'failure') progress.print(`${event.arm}, seed ${event.seed}: ${event.reason}`);
      else {
        const share = ++done / (neuron.length * seeds * (points + 1));
        const left = ((performance.now() - start) / 1000) * (1 / share - 1);
        progress.draw('race', share, [`${event.arm}, seed ${event.seed}`, `${duration(left)} left`]);
      }
    }
    if (flags.plot !== undefined) {
      const { raceChart } = await import('./race-chart.ts');
      writeFile(flags.plot, raceChart({ points: measured, arms: neuron, by, seeds, sampled: flags.sampled === true }));
      progress.print(`Wrote ${flags.plot}.`);
    }
  } finally {
    progress.clear();
  }
}

async function dataOf(flags: RaceFlags): Promise<{ data: Split; about: Omit<Loaded, 'parts'> }> {
  const { data: name, dataDir, examples, valid, seed } = flags;
  if (name === 'digits') return { data: digitsSplit({ seed, train: examples, valid, test: 1 }), about: {} };
  const { parts: all, ...about } = await loadClasses(name, { dataDir, seed, table: tableOptions(flags) });
  for (const [flag, wanted, { count: there }] of [
    ['examples', examples, all.train],
    ['valid', valid, all.valid],
  ] as const)
    if (wanted > there)
      throw new UsageError(`--${flag} is ${wanted}, and ${name} has ${there}. Expected at most that.`);
  return { data: { ...all, train: slice(all.train, 0, examples), valid: slice(all.valid, 0, valid) }, about };
}

function standings(rows: readonly RaceStanding[]): string {
  const percent = ({ value, most }: Interval): string =>
    Number.isNaN(value)
      ? '–'
      : `${(100 * value).toFixed(2)}${Number.isFinite(most) ? ` ± ${(100 * (most - value)).toFixed(2)}` : ''}`;
  return table([
    ['neuron', 'seeds', 'steps', 'evaluations', 'seconds', 'train error, %', 'valid error, %', 'gap, points'],
    ...rows.map(({ arm, seeds, steps, evaluations, seconds, trainError, validError, gap }) => [
      arm,
      String(seeds),
      ...[steps, evaluations].map((value) => (Number.isNaN(value) ? '–' : String(Math.round(value)))),
      Number.isNaN(seconds) ? '–' : seconds.toFixed(2),
      ...[trainError, validError, gap].map(percent),
    ]),
  ]);
}
