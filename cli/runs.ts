import { join } from 'node:path';
import { Command, Option } from 'commander';
import { differences, Run, type RunSummary, summarize } from '../src/index.ts';
import { nodeFolder } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { print, printError, printJson } from './output.ts';
import { openAnyRun, runsFolder } from './run-folder.ts';
import { showSweep } from './show-sweep.ts';
import { shown } from './shown.ts';
import { millions, percent, table } from './table.ts';

/** The highest first, and last what has none. */
const byElbo = (a = -Number.MAX_VALUE, b = -Number.MAX_VALUE): number => b - a;

const SORTS = {
  created: (a: RunSummary, b: RunSummary) => a.created.localeCompare(b.created),
  valid: (a: RunSummary, b: RunSummary) =>
    (a.validError ?? 1) - (b.validError ?? 1) || byElbo(a.validElbo, b.validElbo),
  test: (a: RunSummary, b: RunSummary) => (a.testError ?? 1) - (b.testError ?? 1) || byElbo(a.testBound, b.testBound),
  work: (a: RunSummary, b: RunSummary) => (a.flops?.executed ?? 0) - (b.flops?.executed ?? 0),
} as const;

/** `flipgrad runs`. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('List and compare runs: how far they are, how good, and in which settings they differ.')
    .exitOverride()
    .argument('[folders...]', 'runs, or folders of runs (default: $FLIPGRAD_RUNS, else runs)')
    .addOption(new Option('--sort <by>', 'order of the rows').choices(Object.keys(SORTS)).default('created'))
    .option('--sweep <name>', "rank a sweep's configurations instead: intervals, what matters, and a picture")
    .option('--db <url>', '--sweep: the Postgres server that has it (default: $FLIPGRAD_DB, else the folder)')
    .option('--folder <dir>', '--sweep: its folder (default: $FLIPGRAD_SWEEPS, else sweeps, and its name)')
    .option('--json', 'one JSON object a line (also when standard output is not a terminal)')
    .action((folders: string[], flags: RunsFlags) =>
      flags.sweep === undefined ? list(folders, flags) : showSweep(flags.sweep, flags),
    );
}

interface RunsFlags {
  sort: keyof typeof SORTS;
  sweep?: string;
  db?: string;
  folder?: string;
  json?: boolean;
}

async function list(folders: string[], { sort, json }: RunsFlags): Promise<void> {
  const paths = (await Promise.all((folders.length > 0 ? folders : [runsFolder()]).map(runsIn))).flat();
  const summaries: RunSummary[] = [];
  const unreadable: string[] = [];
  for (const path of paths)
    try {
      summaries.push(await summarize(await openAnyRun(path)));
    } catch (error) {
      unreadable.push((error as Error).message);
    }
  summaries.sort(SORTS[sort]);
  if (json ?? !process.stdout.isTTY) for (const summary of summaries) printJson(summary);
  else print(summaries.length > 0 ? `${comparison(summaries)}\n` : 'No runs yet: flipgrad train makes one.\n');
  for (const reason of unreadable) printError(`not listed: ${reason}\n`);
}

/** A run itself, or the runs right in a folder. @throws UsageError where there is no folder that was named */
async function runsIn(path: string): Promise<string[]> {
  const folder = nodeFolder(path);
  if (await Run.isIn(folder)) return [path];
  const names = (await folder.list()).filter((name) => !name.startsWith('.'));
  const runs: string[] = [];
  for (const name of names) if (await Run.isIn(nodeFolder(join(path, name)))) runs.push(join(path, name));
  if (runs.length === 0 && path !== runsFolder()) throw new UsageError(`${path} is no run and holds none.`);
  return runs;
}

/** Rows of runs; after what they reached, the settings in which they differ. */
export function comparison(summaries: readonly RunSummary[]): string {
  const settings = differences(summaries.map(({ config }) => config));
  // Only where there are autoencoders.
  const nats = summaries.some(({ config }) => config.model === 'vae');
  const elbos = nats ? ['valid ELBO', 'test bound'] : [];
  const header = ['run', 'state', 'epochs', 'valid', 'test', 'open', 'multiply-adds', ...elbos, 'seconds', ...settings];
  const rows = summaries.map((run) => [
    run.folder,
    run.state,
    `${run.epochs}/${run.ofEpochs}`,
    cell(run.validError, percent),
    cell(run.testError, percent),
    cell(run.density, (share) => percent(share, 1)),
    cell(run.flops, ({ executed, dense }) => `${millions(executed)} of ${millions(dense)}`),
    ...(nats ? [run.validElbo, run.testBound].map((value) => cell(value, (elbo) => elbo.toFixed(2))) : []),
    run.seconds.toFixed(1),
    ...settings.map((name) => cell(run.config[name], shown)),
  ]);
  return table([header, ...rows]);
}

const cell = <T>(value: T | undefined, show: (value: T) => string): string => (value === undefined ? '–' : show(value));
