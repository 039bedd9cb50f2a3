import { Command } from 'commander';
import { type EpochEvent, type MetricsLine, type Run, type RunRecord, summarize } from '../src/index.ts';
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
    .option('--json', 'one JSON object (also when standard output is not a terminal)')
    .action(show);
}

async function show(folder: string, { json }: { json?: boolean }): Promise<void> {
  const run = await openRun(folder);
  const summary = await summarize(run);
  const lines = await run.metrics();
  const checkpoints = await run.checkpoints();
  if (json ?? !process.stdout.isTTY) {
    process.stdout.write(`${JSON.stringify({ ...summary, record: run.record, checkpoints, metrics: lines })}\n`);
    return;
  }
  const state = `${summary.state}, ${summary.epochs} of ${summary.ofEpochs} epochs in ${summary.sessions} session${summary.sessions === 1 ? '' : 's'}`;
  const parts = [
    `${folder}: ${state}${summary.state === 'stopped' ? `. To go on: flipgrad train --resume ${folder}` : ''}`,
    table(facts(run.record, checkpoints), { left: true }),
    epochTable(lines),
    ...(run.record.result ? [resultTable(run.record.result)] : []),
  ];
  process.stdout.write(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
}

function facts(
  { config, data, engine, versions, machine, commit, created }: RunRecord,
  checkpoints: Awaited<ReturnType<Run['checkpoints']>>,
): string[][] {
  const settings = Object.entries(config).map(([name, value]) => `${name} ${shown(value)}`);
  const { train, valid, test } = data.examples;
  return [
    ['settings', settings.join(', ')],
    [
      'data',
      `${data.name}: ${train} to train with, ${valid} and ${test} to check; SHA-256 ${data.checksums.train.slice(0, 12)}…`,
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

function epochTable(lines: readonly MetricsLine[]): string {
  const epochs = lines.filter((line): line is MetricsLine & EpochEvent => line.event === 'epoch');
  if (epochs.length === 0) return '';
  const step = Math.ceil(epochs.length / MOST_ROWS);
  const some = epochs.filter(
    ({ epoch, best }, i) => epoch % step === 0 || i === epochs.length - 1 || (best && step === 1),
  );
  const header = ['epoch', 'train loss', 'train error', 'valid loss', 'valid error', 'open', 'dead'];
  const rows = some.map((event) => [
    String(event.epoch),
    event.trainLoss.toFixed(4),
    percent(event.trainError),
    event.validLoss.toFixed(4),
    `${percent(event.validError)}${event.best ? ' *' : '  '}`,
    percent(event.density, 1),
    String(event.health.reduce((sum, { dead }) => sum + dead, 0)),
  ]);
  return table([header, ...rows]);
}
