import { Command, Option } from 'commander';
import { type CrossoverCurve, type Engine, measureCrossover, measureWaterfall, type Waterfall } from '../src/index.ts';
import { calibrationFile, createEngine, saveCalibration } from '../src/platform/node/index.ts';
import { benchStep } from './bench-step.ts';
import { UsageError } from './exit.ts';
import { givenIn } from './flag-of.ts';
import { count, share } from './options.ts';
import { print, printJson } from './output.ts';
import { terminalProgress } from './progress.ts';
import { table } from './table.ts';
import { checkOut, writeFile } from './write-file.ts';

interface BenchFlags {
  units: number[];
  sizes: number[];
  rows: number;
  inputs: number;
  density: number;
  threads?: number;
  simd: 'auto' | 'simd' | 'relaxed';
  blas: string;
  calibrate?: boolean;
  plot?: string;
  json?: boolean;
  step?: string;
  classes: number;
  optimizer: string;
}

/** Flags of the crossovers, which a profile of a step has no use for; and the other way round. */
const OF_CROSSOVERS = ['units', 'sizes', 'density', 'calibrate', 'plot'] as const;
const OF_STEPS = ['classes', 'optimizer'] as const;

const list = (text: string): number[] => text.split(',').map(count);

/** `flipgrad bench`. */
export function benchCommand(): Command {
  return new Command('bench')
    .description(
      'Measure on this machine when skipping closed blocks pays, and where the time of a gated layer or of a training step goes.',
    )
    .exitOverride()
    .option('--units <n,n>', 'expert units in all', list, [1024, 2048])
    .option('--sizes <n,n>', 'units of a block', list, [1, 8, 32, 64])
    .option('--rows <n>', 'examples in a minibatch', count, 100)
    .option('--inputs <n>', 'width of the input', count, 784)
    .option('--density <s>', 'share of open blocks in the waterfall', share, 0.1)
    .option('--threads <n>', 'default: one per core', count)
    .addOption(new Option('--simd <build>', 'kernel build').choices(['auto', 'simd', 'relaxed']).default('auto'))
    .option('--blas <lib>', 'auto, off, or the path of a library', 'off')
    .option(
      '--calibrate',
      'store the measured crossovers: engines on this machine then use them to choose between all blocks, open blocks and BLAS',
    )
    .option('--plot <file>', 'write a chart to this file (SVG)')
    .option('--step <file>', 'measure one training step of the network that this file exports, by operation')
    .option('--classes <n>', 'with --step: classes of the random examples', count, 10)
    .option('--optimizer <name>', 'with --step: sgd or adam', 'adam')
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .action(run);
}

async function run(flags: BenchFlags, command: Command): Promise<void> {
  checkOut(flags.plot);
  const json = flags.json ?? !process.stdout.isTTY;
  const other = (flags.step === undefined ? OF_STEPS : OF_CROSSOVERS).find(givenIn(command));
  if (other)
    throw new UsageError(
      flags.step === undefined
        ? `--${other} is for a training step. Expected --step FILE with it.`
        : `--step measures a training step, and --${other} is for crossovers. Expected one of the two.`,
    );
  const progress = terminalProgress();
  const { simd, blas, rows, inputs, density } = flags;
  const options = { simd, blas, ...(flags.threads !== undefined && { threads: flags.threads }) };
  if (flags.step !== undefined) {
    const { step, classes, optimizer } = flags;
    return benchStep({ step, rows, inputs, classes, optimizer, engine: options, json });
  }
  const shapes = flags.units.flatMap((units) =>
    flags.sizes.filter((size) => units % size === 0).map((size) => ({ rows, inputs, units, size })),
  );
  if (shapes.length === 0)
    throw new UsageError(
      `No block of ${flags.sizes.join(', ')} units divides ${flags.units.join(', ')} units. Expected --sizes that divide --units.`,
    );
  const curves: CrossoverCurve[] = [];
  const falls: Waterfall[] = [];
  for (const [i, shape] of shapes.entries()) {
    progress.draw('measuring', i / shapes.length, [`${shape.units} units in blocks of ${shape.size}`]);
    const engine = await createEngine(options);
    try {
      curves.push(measureCrossover(engine, shape));
      falls.push(measureWaterfall(engine, shape, density));
      if (json) for (const line of benchLines(engine, curves[i], falls[i])) printJson(line);
    } finally {
      engine.close();
    }
  }
  progress.clear();
  const withBlas = curves.some(({ points }) => points.some(({ gathered }) => gathered !== undefined));
  const note = withBlas ? 'In brackets: open blocks by BLAS on gathered rows.\n' : '';
  if (!json) print(`${curveTable(curves)}\n${note}\n${fallTable(falls)}\n`);
  if (flags.plot !== undefined) {
    const { crossoverChart } = await import('./crossover-chart.ts');
    writeFile(flags.plot, crossoverChart(curves, falls));
    progress.print(`Wrote ${flags.plot}.`);
  }
  if (flags.calibrate) {
    const largest = Math.max(...flags.units);
    const crossovers = Object.fromEntries(
      curves
        .filter(({ units }) => units === largest)
        .map(({ size, crossover, gatherFrom }) => [
          size,
          gatherFrom === undefined ? crossover : { upTo: crossover, gatherFrom },
        ]),
    );
    saveCalibration(options, crossovers);
    progress.print(`Kept the crossovers of ${Object.keys(crossovers).length} block sizes in ${calibrationFile()}.`);
  }
}

/** What was measured of a shape, as it is printed for programs. */
export function benchLines(
  { name, threads }: Engine,
  curve: CrossoverCurve,
  fall: Waterfall,
): readonly Readonly<Record<string, unknown>>[] {
  return [
    { event: 'crossover', engine: name, threads, ...curve },
    { event: 'waterfall', engine: name, threads, ...fall },
  ];
}

function curveTable(curves: readonly CrossoverCurve[]): string {
  const densities = curves[0]?.points.map((point) => `${100 * point.density}%`) ?? [];
  return table([
    ['units, block', ...densities, 'all blocks', 'pays up to'],
    ...curves.map(({ units, size, points, crossover }) => [
      `${units}, ${size}`,
      ...points.map(({ blocks, gathered }) =>
        gathered === undefined ? blocks.toFixed(2) : `${blocks.toFixed(2)} (${gathered.toFixed(2)})`,
      ),
      (points.reduce((sum, { dense }) => sum + dense, 0) / points.length).toFixed(2),
      `${(100 * crossover).toFixed(0)}%`,
    ]),
  ]);
}

function fallTable(falls: readonly Waterfall[]): string {
  const ms = (value: number) => value.toFixed(2);
  return table([
    [
      'ms of a step',
      'dense',
      'ideal',
      '+ gater',
      '+ compaction',
      '+ memory',
      '+ uneven',
      '= measured',
      'saving, of ideal',
    ],
    ...falls.map(({ units, size, dense, ideal, gater, compaction, memory, uneven, measured }) => [
      `${units}, ${size}`,
      ...[dense, ideal, gater, compaction, memory, uneven, measured].map(ms),
      `${((100 * (dense - measured)) / (dense - ideal)).toFixed(0)}%`,
    ]),
  ]);
}
