import { Command } from 'commander';
import {
  epochColumns,
  figureText,
  type MetricsLine,
  type Reading,
  type Run,
  type RunRecord,
  summarize,
  type TaskEpochEvent,
} from '../src/index.ts';
import { commandLine, pathWord } from './command-line.ts';
import { print, printJson } from './output.ts';
import { openRun } from './run-folder.ts';
import { shown } from './shown.ts';
import { percent, table } from './table.ts';
import { resultTable } from './train-report.ts';

/** Epochs that are printed of a long run. */
const MOST_ROWS = 24;

/** `flipgrad show`. */
export function showCommand(): Command {
  return new Command('show')
    .description('Print one run: its settings, where it ran, its epochs and its result.')
    .exitOverride()
    .argument('<folder>', 'the folder of a run')
    .option('--json', 'print one JSON object (the default if standard output is no terminal)')
    .action(show);
}

async function show(folder: string, { json }: { json?: boolean }): Promise<void> {
  const run = await openRun(folder);
  const summary = await summarize(run);
  const lines = await run.metrics();
  const checkpoints = await run.checkpoints();
  if (json ?? !process.stdout.isTTY) {
    printJson({ ...summary, record: run.record, checkpoints, metrics: lines });
    return;
  }
  const state = `${summary.state}, ${summary.epochs} of ${summary.ofEpochs} epochs in ${summary.sessions} session${summary.sessions === 1 ? '' : 's'}`;
  const parts = [
    `${folder}: ${state}${summary.state === 'stopped' ? `. To go on: ${commandLine('train', '--resume', pathWord(folder))}` : ''}`,
    table(facts(run.record, checkpoints), { left: true }),
    epochTable(lines, run.reading),
    ...(run.record.result ? [resultTable(run.record.result, run.reading)] : []),
  ];
  print(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
}

function facts(
  { config, task, data, engine, versions, machine, commit, created }: RunRecord,
  checkpoints: Awaited<ReturnType<Run['checkpoints']>>,
): string[][] {
  const settings = Object.entries(config).map(([name, value]) => `${name} ${shown(value)}`);
  const { train, valid, test } = data.examples;
  return [
    ['settings', settings.join(', ')],
    ['task', taskText(task)],
    [
      'data',
      `${data.name}: ${train} examples for training, ${valid} for validation, ${test} for test; SHA-256 ${data.checksums.train.slice(0, 12)}…`,
    ],
    ['engine', `${engine.name}, ${engine.threads} thread${engine.threads === 1 ? '' : 's'}`],
    ['machine', `${machine.processor ?? ''}, ${machine.cores ?? '?'} cores, ${machine.platform ?? ''}`],
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ...(commit === undefined ? [] : [['commit', commit]]),
    ['begun', created],
    ['checkpoints', checkpoints.join(', ') || 'none yet'],
  ];
}

const taskText = ({ name, options = {} }: RunRecord['task']): string =>
  [name, ...Object.entries(options).map(([option, value]) => `${option} ${value}`)].join(', ');

function epochTable(lines: readonly MetricsLine[], task: Reading): string {
  const epochs = lines.filter((line): line is MetricsLine & TaskEpochEvent => line.event === 'epoch');
  const columns = epochColumns(task).filter(({ of }) => epochs.some((epoch) => of(epoch) !== undefined));
  const gates = epochs.some(({ density }) => density !== undefined);
  const sites = [...new Set(epochs.flatMap(({ health }) => health.map(({ site }) => site)))];
  const header = [
    'epoch',
    ...columns.map(({ part, metric, figure }) => `${part} ${metric === undefined ? 'loss' : figure.title}`),
    ...(gates ? ['valid open', 'dead'] : sites.map((site) => `${site} on`)),
  ];
  return rowsOf(header, epochs, (event) => [
    String(event.epoch),
    ...columns.map(({ of, figure, chooses }) => {
      const value = of(event);
      return `${value === undefined ? '–' : figureText(figure, value)}${chooses ? (event.best ? ' *' : '  ') : ''}`;
    }),
    ...(gates
      ? [
          event.density === undefined ? '–' : percent(event.density, 1),
          String(event.health.reduce((sum, { dead }) => sum + dead, 0)),
        ]
      : sites.map((site) => {
          const found = event.health.find((one) => one.site === site);
          return found ? percent(found.rate, 1) : '–';
        })),
  ]);
}

/** A row an epoch, or of a long run some of them. */
function rowsOf<Epoch extends { readonly epoch: number; readonly best: boolean }>(
  header: string[],
  epochs: readonly Epoch[],
  row: (event: Epoch) => string[],
): string {
  if (epochs.length === 0) return '';
  const step = Math.ceil(epochs.length / MOST_ROWS);
  const some = epochs.filter(
    ({ epoch, best }, i) => epoch % step === 0 || i === epochs.length - 1 || (best && step === 1),
  );
  return table([header, ...some.map(row)]);
}
