import { Command, Option } from 'commander';
import {
  auditNeuron,
  certify,
  type NeuronAudit,
  type NeuronDefinition,
  type ProblemName,
  problemKinds,
  resolveNeuron,
  type Variant,
  type Verdict,
  variants,
  zoo,
} from '../src/index.ts';
import { problemPoints, varianceChart } from './audit-chart.ts';
import { auditTable, verdictLines } from './audit-report.ts';
import { auditRun } from './audit-run.ts';
import { ExitCode, UsageError } from './exit.ts';
import { untilInterrupted } from './interrupt.ts';
import { neuronsOfFile } from './neuron-file.ts';
import { count, neurons, wholeNumber } from './options.ts';
import { print, printJson } from './output.ts';
import { duration, terminalProgress } from './progress.ts';
import { writeFile } from './write-file.ts';

/** Flags of `flipgrad audit`. */
export interface AuditFlags {
  neuron?: string[];
  problem: ProblemName;
  units: number;
  evaluations: number;
  samples: number;
  seed: number;
  run?: string;
  site?: string;
  rows: number;
  repeats: number;
  dataDir?: string;
  threads?: number;
  plot?: string;
  json?: boolean;
}

/** What is known of one neuron. */
export interface AuditRow extends NeuronAudit {
  /** How it was asked for. */
  readonly neuron: string;
  readonly verdicts: readonly Verdict[];
}

/** The true gradient of bits is a sum over all their states. */
const MOST_UNITS = 14;

/** `flipgrad audit`. */
export function auditCommand(): Command {
  return new Command('audit')
    .description(
      'Measure bias, variance and cost of the gradients of neurons, and test every claim that they make; a file of your own too.',
    )
    .exitOverride()
    .argument('[files...]', 'TypeScript or JavaScript files that export neurons of your own')
    .option(
      '--neuron <names>',
      'neurons, separated by commas (default: all, in every choice of their options)',
      neurons,
    )
    .addOption(
      new Option('--problem <name>', 'small loss that they are measured on')
        .choices(Object.keys(problemKinds))
        .default('network'),
    )
    .option('--units <n>', 'units of the problem', count, 6)
    .option('--evaluations <n>', 'compare gradients averaged over so many evaluations of the loss', count, 64)
    .option('--samples <n>', 'gradients drawn where exact integration is too large', count, 40_000)
    .option('--seed <n>', 'of what is drawn', wholeNumber, 1)
    .option('--run <dir>', 'measure on a trained run and a minibatch of its data instead of a problem')
    .option('--site <name>', 'with --run: where neurons fire (default: the first place with noise)')
    .option('--rows <n>', 'with --run: examples of the minibatch', count, 50)
    .option('--repeats <n>', 'with --run: gradients drawn of every neuron', count, 48)
    .option('--data-dir <dir>', 'with --run: where data sets lie (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .option('--threads <n>', 'with --run: default one a core', count)
    .option('--plot <file>', 'write the picture there (SVG): variance against evaluations')
    .option('--json', 'one JSON object a line (also when standard output is not a terminal)')
    .action((files: string[], flags: AuditFlags) => untilInterrupted((signal) => run(files, flags, signal)));
}

async function run(files: readonly string[], flags: AuditFlags, signal: AbortSignal): Promise<void> {
  if (flags.units > MOST_UNITS)
    throw new UsageError(
      `--units ${flags.units} makes 2^${flags.units} states to sum the true gradient over; up to ${MOST_UNITS} would do.`,
    );
  const asked = await askedFor(files, flags);
  if (flags.run !== undefined) {
    await auditRun(flags.run, asked, flags, { named: files.length > 0 || flags.neuron !== undefined, signal });
    return;
  }
  const progress = terminalProgress();
  const start = performance.now();
  const rows: AuditRow[] = [];
  try {
    for (const [i, { text, neuron }] of asked.entries()) {
      const seconds = (performance.now() - start) / 1000;
      const left = i === 0 ? [] : [`${duration((seconds / i) * (asked.length - i))} left`];
      progress.draw('auditing', i / asked.length, [`${i + 1} of ${asked.length}`, text, ...left]);
      // Lets the line be drawn, and signals in.
      await new Promise((next) => setTimeout(next, 0));
      signal.throwIfAborted();
      rows.push(auditOne(text, neuron, flags));
    }
  } finally {
    progress.clear();
  }
  rows.sort(byEqualCompute);
  report(rows, (performance.now() - start) / 1000, flags);
  if (flags.plot !== undefined) {
    writeFile(flags.plot, varianceChart(problemPoints(rows), `${flags.problem}, ${flags.units} units`));
    progress.print(`Wrote ${flags.plot}.`);
  }
  if (refutedOf(rows).length > 0) process.exitCode = ExitCode.refuted;
}

function auditOne(text: string, neuron: Variant['neuron'], flags: AuditFlags): AuditRow {
  const verdicts = certify(neuron);
  const { units, evaluations, samples, seed } = flags;
  const audit = auditNeuron(neuron, { problem: problemKinds[flags.problem], units, evaluations, samples, seed });
  return { neuron: text, ...audit, verdicts };
}

/** The neurons of the files, those named, or all of the zoo. */
async function askedFor(
  files: readonly string[],
  { neuron: names, run: trained, units }: AuditFlags,
): Promise<readonly Variant[]> {
  const own = (await Promise.all(files.map(neuronsOfFile))).flat();
  if (names) return [...own, ...names.map((text) => ({ text, neuron: resolveNeuron(text) }))];
  if (own.length > 0) return own;
  const all = Object.values(zoo).flatMap((definition) => variants(definition as unknown as NeuronDefinition));
  return trained === undefined ? all.filter(({ neuron }) => (neuron.mostUnits ?? units) >= units) : all;
}

/** Bits first: their true gradient is one and the same. Then what is left of the error at equal compute. */
function byEqualCompute(a: AuditRow, b: AuditRow): number {
  return a.unit === b.unit ? a.atEqualCompute - b.atEqualCompute : a.unit === 'bits' ? -1 : 1;
}

const refutedOf = (rows: readonly AuditRow[]): readonly AuditRow[] =>
  rows.filter(({ verdicts }) => verdicts.some(({ verdict }) => verdict === 'refuted'));

function report(rows: readonly AuditRow[], seconds: number, flags: AuditFlags): void {
  const refuted = refutedOf(rows).map(({ neuron }) => neuron);
  if (flags.json ?? !process.stdout.isTTY) {
    const lines = [
      ...rows.map((row) => ({ event: 'neuron', ...row })),
      { event: 'result', neurons: rows.length, refuted, evaluations: flags.evaluations, seconds },
    ];
    const plain = (_: string, value: unknown) => (value instanceof Float64Array ? Array.from(value) : value);
    for (const line of lines) printJson(line, plain);
    return;
  }
  print(`${auditTable(rows, flags)}\n\n${verdictLines(rows)}\n${rows.length} neurons in ${duration(seconds)}.\n`);
}
