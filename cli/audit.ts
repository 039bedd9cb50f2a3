import { Command, Option } from 'commander';
import { type NeuronDefinition, problemKinds, resolveNeuron, type Variant, variants, zoo } from '../src/index.ts';
import { auditNet, isRefuted, type NetFlags, reportNet } from './audit-net.ts';
import { auditTable, verdictLines } from './audit-report.ts';
import type { AuditRow } from './audit-row.ts';
import { auditRun } from './audit-run.ts';
import { certificateOf, certificateOfNet } from './certificate.ts';
import { ExitCode, UsageError } from './exit.ts';
import { flagOf } from './flag-of.ts';
import { untilInterrupted } from './interrupt.ts';
import { type JudgeFlags, judged, listed } from './judge-neurons.ts';
import { neuronsOfFile } from './neuron-file.ts';
import { count, neurons, positive, wholeNumber } from './options.ts';
import { print, printJson } from './output.ts';
import { codeOfRun, namesOfPaths, neuronsOf, type OwnFlags, withOwnCode } from './own-code.ts';
import { distinctFiles } from './own-file.ts';
import { duration } from './progress.ts';
import { openRun } from './run-folder.ts';
import { OF_A_RUN } from './use-run.ts';
import { checkOut, writeFile } from './write-file.ts';

/** Flags of `flipgrad audit`. */
export interface AuditFlags extends JudgeFlags, OwnFlags {
  neuron?: string[];
  out?: string;
  run?: string;
  site?: string;
  rows: number;
  repeats: number;
  data?: string;
  dataDir?: string;
  threads?: number;
  inputs: number;
  classes: number;
  examples: number;
  plot?: string;
  json?: boolean;
}

/** Gradients drawn of a neuron, and of a program. */
const [SAMPLES, PROGRAM_SAMPLES] = [40_000, 4000];

/** The true gradient of bits is a sum over all their states. */
const MOST_UNITS = 14;

/** `flipgrad audit`. */
export function auditCommand(): Command {
  const command = new Command('audit')
    .description(
      'Measure bias, variance and cost of the gradients of neurons, your own included, and test every claim that they make.',
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
    .option('--units <n>', 'units of the small loss', count, 6)
    .option('--evaluations <n>', 'compare gradients averaged over this many evaluations of the loss', count, 64)
    .option(
      '--samples <n>',
      `gradients drawn where exact integration is too large (default: ${SAMPLES}; of --net: ${PROGRAM_SAMPLES})`,
      count,
    )
    .option('--seed <n>', 'seed of the draws', wholeNumber, 1)
    .option('--thorough', 'test ten times as many places: for certificates that you publish')
    .option('--limit <s>', 'time limit for one call of a function of a neuron, in seconds', positive, 20)
    .option('--out <file>', 'write a certificate to this file (JSON), for `flipgrad verify`')
    .option('--run <dir>', 'measure on a trained run and a minibatch of its data instead of a problem')
    .option('--site <name>', 'with --run: the site to measure (default: the first one with noise)')
    .option('--rows <n>', 'with --run: examples of the minibatch', count, 50)
    .option('--repeats <n>', 'with --run: gradients drawn for each neuron', count, 48)
    .option('--data <path>', 'with --run: path of its data, if they have moved')
    .option('--data-dir <dir>', 'with --run: folder of data sets (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .option('--threads <n>', 'with --run: default one per core', count)
    .option('--inputs <n>', 'with --net: inputs of the network', count, 4)
    .option('--classes <n>', 'with --net: classes of the network', count, 3)
    .option('--examples <n>', 'with --net: examples of the loss', count, 1)
    .option('--plot <file>', 'write a chart to this file (SVG): variance against evaluations')
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .action((files: string[], given: AuditFlags) => {
      const ofNet = given.net !== undefined && given.run === undefined;
      const flags = { ...given, samples: given.samples ?? (ofNet ? PROGRAM_SAMPLES : SAMPLES) };
      return untilInterrupted((signal) => run(files, flags, signal));
    });
  return withOwnCode(
    command,
    `a whole network or function of tensors: its gradient at every parameter; with --run: ${OF_A_RUN}`,
  );
}

async function run(files: readonly string[], given: AuditFlags, signal: AbortSignal): Promise<void> {
  for (const out of [given.plot, given.out]) checkOut(out);
  const flags = await namesOfPaths(given);
  if (flags.units > MOST_UNITS)
    throw new UsageError(
      `--units is ${flags.units}, and the true gradient is a sum over 2^${flags.units} states. Expected at most ${MOST_UNITS}.`,
    );
  if (flags.anyCode !== undefined && flags.run === undefined)
    throw new UsageError(`${flagOf('anyCode')} goes with --run.`);
  if (flags.data !== undefined && flags.run === undefined)
    throw new UsageError(
      `${flagOf('data')} goes with --run: without it, neurons are measured on a problem and read no data.`,
    );
  if (flags.run !== undefined) {
    const asked = await askedFor(files, flags.run, flags);
    await auditRun(flags.run, asked, flags, { named: files.length > 0 || flags.neuron !== undefined, signal });
    return;
  }
  if (flags.net !== undefined) {
    if (files.length > 0)
      throw new UsageError(
        `--net audits a network, and files audit neurons: ${files.join(', ')}. Expected one of them.`,
      );
    return runNet({ ...flags, net: flags.net }, signal);
  }
  const start = performance.now();
  const texts = await textsFor(files, flags, signal);
  const { use = [] } = flags;
  const sources = distinctFiles([...files, ...use]);
  const { rows, clear, print: tell } = await judged(sources, texts, flags, signal);
  clear();
  rows.sort(byEqualCompute);
  report(rows, (performance.now() - start) / 1000, flags);
  if (flags.plot !== undefined) {
    const { problemPoints, varianceChart } = await import('./audit-chart.ts');
    writeFile(flags.plot, varianceChart(problemPoints(rows), `${flags.problem}, ${flags.units} units`));
    tell(`Wrote ${flags.plot}.`);
  }
  if (flags.out !== undefined) {
    writeFile(flags.out, `${JSON.stringify(certificateOf(flags.out, sources, flags, rows), null, 2)}\n`);
    tell(`Wrote ${flags.out}.`);
  }
  if (refutedOf(rows).length > 0) process.exitCode = ExitCode.refuted;
}

/** A whole program. */
async function runNet(flags: AuditFlags & NetFlags, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  const rows = await auditNet(flags, signal);
  const json = flags.json ?? !process.stdout.isTTY;
  reportNet(rows, (performance.now() - start) / 1000, json);
  if (flags.out !== undefined) {
    writeFile(flags.out, `${JSON.stringify(certificateOfNet(flags.out, flags, rows), null, 2)}\n`);
    if (!json) print(`Wrote ${flags.out}.\n`);
  }
  if (rows.some(({ verdicts }) => isRefuted(verdicts))) process.exitCode = ExitCode.refuted;
}

/** How the neurons are asked for: those of the files, those named, or all of the zoo. */
async function textsFor(
  files: readonly string[],
  { neuron: names, units, limit, use }: AuditFlags,
  signal: AbortSignal,
): Promise<string[]> {
  const known = await neuronsOf(use);
  for (const text of names ?? []) resolveNeuron(text, undefined, known);
  const own = files.length > 0 ? await listed(files, limit, signal) : [];
  if (names) return [...own, ...names];
  if (own.length > 0) return own;
  return [...known, ...(Object.values(zoo) as unknown as NeuronDefinition[])]
    .flatMap(variants)
    .filter(({ neuron }) => (neuron.mostUnits ?? units) >= units)
    .map(({ text }) => text);
}

/** For a trained run: the neurons of the files, those named, or all that are known. */
async function askedFor(files: readonly string[], folder: string, flags: AuditFlags): Promise<readonly Variant[]> {
  const { neurons: known } = await codeOfRun(await openRun(folder), flags);
  const own = (await Promise.all(files.map(neuronsOfFile))).flat();
  if (flags.neuron)
    return [...own, ...flags.neuron.map((text) => ({ text, neuron: resolveNeuron(text, undefined, known) }))];
  return own.length > 0 ? own : [...known, ...(Object.values(zoo) as unknown as NeuronDefinition[])].flatMap(variants);
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
