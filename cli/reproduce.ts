import { Command } from 'commander';
import { experimentsByName } from '../experiments/by-name.ts';
import { type Experiment, type FormName, formOf } from '../experiments/kit/experiment.ts';
import { type ReproduceEvent, reproduce } from '../experiments/kit/reproduce.ts';
import { suggest } from '../src/math/text.ts';
import { ExitCode, Interruption, UsageError } from './exit.ts';
import { untilInterrupted } from './interrupt.ts';
import { count } from './options.ts';
import { print, printJson } from './output.ts';
import { duration, terminalProgress } from './progress.ts';

/** Flags of `flipgrad reproduce`. */
interface ReproduceFlags {
  quick?: boolean;
  medium?: boolean;
  seeds?: number;
  out: string;
  json?: boolean;
}

type Experiments = Readonly<Record<string, () => Promise<Experiment>>>;

/** `flipgrad reproduce`, of experiments that are given or of all. An experiment, and what draws its charts, is loaded when it is named. */
export function reproduceCommand(known: Experiments = experimentsByName): Command {
  const names = Object.keys(known).join(', ');
  return new Command('reproduce')
    .description(
      `Repeat a published table or claim, with intervals: ${names}. The same command continues an interrupted experiment; several processes on one folder share the work.`,
    )
    .exitOverride()
    .argument('<name>', names)
    .option('--quick', 'the small form on embedded digits, within 3 minutes; most full forms need MNIST')
    .option('--medium', 'a form between quick and full, if the experiment has one')
    .option('--seeds <n>', 'number of seeds (default: that of the form)', count)
    .option('--out <dir>', 'folder of records and reports', 'reproduce')
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .action((name: string, flags: ReproduceFlags) => untilInterrupted((signal) => run(known, name, flags, signal)));
}

async function run(known: Experiments, name: string, flags: ReproduceFlags, signal: AbortSignal): Promise<void> {
  const { seeds, out, json } = flags;
  if (!Object.hasOwn(known, name))
    throw new UsageError(`There is no experiment "${name}". ${suggest(name, Object.keys(known))}`);
  const experiment = await known[name]();
  const form = nameOfForm(experiment, flags);
  const progress = terminalProgress();
  const lines = json ?? !process.stdout.isTTY;
  let missing = 0;
  const tell = (event: ReproduceEvent): void => {
    if (event.event === 'progress') {
      const { trial, share, secondsLeft } = event;
      progress.draw(name, share, [trial, `${duration(secondsLeft)} left`]);
      return;
    }
    if (event.event === 'plan') {
      const { trials, left, minutes } = event;
      progress.print(
        `${left} of ${trials} trials to run: about ${(minutes / 60).toFixed(2)} hours on one core; the same command in a second shell shares them.`,
      );
    }
    if (event.event === 'failed') progress.print(`${event.trial} has no result, the others go on: ${event.message}`);
    if (event.event === 'result') missing = event.missing;
    if (event.event === 'waiting') progress.print(`Other processes run what is left: ${event.trials.join('; ')}.`);
    if (lines) printJson(event, withoutCharts);
    else if (event.event === 'result') {
      progress.clear();
      const findings = event.report.findings.map(({ outcome, claim, evidence }) => `${outcome}: ${claim}. ${evidence}`);
      if (missing > 0) findings.push(`Trials without a result: ${missing}. The same command tries them again.`);
      print(`${[...findings, `Wrote ${event.files.join(', ')}.`].join('\n')}\n`);
    }
  };
  try {
    const options = { form, out, signal, ...(seeds !== undefined && { seeds }) };
    const { findings } = await reproduce(experiment, options, tell);
    if (missing > 0 || findings.some(({ outcome }) => outcome === 'refuted')) process.exitCode = ExitCode.refuted;
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    throw new Interruption(`Interrupted; finished trials stand in ${out}. The same command goes on.`);
  } finally {
    progress.clear();
  }
}

/** @throws UsageError for both forms @throws RangeError for one that the experiment has not */
function nameOfForm(experiment: Experiment, { quick, medium }: ReproduceFlags): FormName {
  if (quick && medium) throw new UsageError('--quick and --medium are two forms. Expected one of them.');
  const name = quick ? 'quick' : medium ? 'medium' : 'full';
  formOf(experiment, name);
  return name;
}

/** Pictures stand in the page, not in the lines. */
const withoutCharts = (key: string, value: unknown): unknown => (key === 'charts' ? undefined : value);
