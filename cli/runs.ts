import { join } from 'node:path';
import { Command, Option } from 'commander';
import {
  differences,
  type Figure,
  figureText,
  nameIn,
  type Reading,
  Run,
  type RunSummary,
  resultFigures,
  scoreOf,
  summarize,
} from '../src/index.ts';
import { nodeFolder } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { print, printError, printJson } from './output.ts';
import { openRun, runsFolder } from './run-folder.ts';
import { showSweep } from './show-sweep.ts';
import { shown } from './shown.ts';
import { millions, percent, table } from './table.ts';

/** A run that is listed, and how its numbers read. */
export interface Listed {
  readonly summary: RunSummary;
  readonly reading: Reading;
}

/** Runs of one metric stand together; the best first, and last what has none. */
function byBest(part: 'valid' | 'test') {
  const value = ({ summary, reading }: Listed): number =>
    scoreOf(reading, (summary as unknown as Record<string, number>)[nameIn(part, reading.best.metric)] ?? Number.NaN);
  return (a: Listed, b: Listed): number => {
    const [x, y] = [value(a), value(b)];
    return (
      a.reading.best.metric.localeCompare(b.reading.best.metric) ||
      Number(Number.isNaN(x)) - Number(Number.isNaN(y)) ||
      (Number.isNaN(x) ? 0 : x - y)
    );
  };
}

const SORTS = {
  created: ({ summary: a }: Listed, { summary: b }: Listed) => a.created.localeCompare(b.created),
  valid: byBest('valid'),
  test: byBest('test'),
  work: ({ summary: a }: Listed, { summary: b }: Listed) => (a.flops?.executed ?? 0) - (b.flops?.executed ?? 0),
} as const;

/** `flipgrad runs`. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('List and compare runs: their progress, their errors, and the settings in which they differ.')
    .exitOverride()
    .argument('[folders...]', 'runs, or folders of runs (default: $FLIPGRAD_RUNS, else runs)')
    .addOption(new Option('--sort <by>', 'order of the rows').choices(Object.keys(SORTS)).default('created'))
    .option('--sweep <name>', 'rank the configurations of this sweep instead, with intervals and a picture')
    .option('--db <url>', '--sweep: its Postgres server (default: $FLIPGRAD_DB, else the database in the folder)')
    .option('--folder <dir>', '--sweep: its folder (default: its name in $FLIPGRAD_SWEEPS, or else in sweeps)')
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
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
  const runs: Listed[] = [];
  const unreadable: string[] = [];
  for (const path of paths)
    try {
      runs.push(await listed(await openRun(path)));
    } catch (error) {
      unreadable.push((error as Error).message);
    }
  runs.sort(SORTS[sort]);
  if (json ?? !process.stdout.isTTY) for (const { summary } of runs) printJson(summary);
  else print(runs.length > 0 ? `${comparison(runs)}\n` : 'No runs yet: flipgrad train makes one.\n');
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

export const listed = async (run: Run): Promise<Listed> => ({ summary: await summarize(run), reading: run.reading });

/** A column of a metric: its name in summaries. */
interface MetricColumn {
  readonly header: string;
  readonly name: string;
  readonly figure: Figure;
}

/** The metric that chose the best epoch, of the validation data; all metrics of the test data. */
function columnsOf({ reading }: Listed): MetricColumn[] {
  const { metric } = reading.best;
  const figure = reading.figures[metric] ?? { title: metric };
  const tests = resultFigures(reading, 'test');
  return [
    { header: `valid ${figure.title}`, name: nameIn('valid', metric), figure },
    ...tests.map(({ name, figure: own }) => ({ header: `test ${own.title}`, name, figure: own })),
  ];
}

/** Rows of runs; after what they reached, the settings in which they differ. */
export function comparison(runs: readonly Listed[]): string {
  const settings = differences(runs.map(({ summary }) => summary.config));
  const columns = [...new Map(runs.flatMap(columnsOf).map((column) => [column.header, column])).values()];
  const headers = columns.map(({ header }) => header);
  const header = ['run', 'state', 'epochs', ...headers, 'open', 'multiply-adds', 'seconds', ...settings];
  const rows = runs.map((one) => {
    const { summary: run } = one;
    const own = columnsOf(one);
    const figures = columns.map(({ header: name }) => {
      const column = own.find((candidate) => candidate.header === name);
      const value = column && (run as unknown as Record<string, number | undefined>)[column.name];
      return column && value !== undefined ? figureText(column.figure, value) : '–';
    });
    return [
      run.folder,
      run.state,
      `${run.epochs}/${run.ofEpochs}`,
      ...figures,
      cell(run.density, (share) => percent(share, 1)),
      cell(run.flops, ({ executed, dense }) => `${millions(executed)} of ${millions(dense)}`),
      run.seconds.toFixed(1),
      ...settings.map((name) => cell(run.config[name], shown)),
    ];
  });
  return table([header, ...rows]);
}

const cell = <T>(value: T | undefined, show: (value: T) => string): string => (value === undefined ? '–' : show(value));
