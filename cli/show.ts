import { Command } from 'commander';
import {
  type AnyRunRecord,
  type EpochEvent,
  type MetricsLine,
  type Run,
  summarize,
  type VaeEpochEvent,
} from '../src/index.ts';
import { commandLine, pathWord } from './command-line.ts';
import { print, printJson } from './output.ts';
import { openAnyRun } from './run-folder.ts';
import { shown } from './shown.ts';
import { percent, table } from './table.ts';
import { resultTable } from './train-report.ts';
import { vaeResultTable } from './train-vae.ts';

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
  const run = await openAnyRun(folder);
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
    ...(run.kind === 'vae' ? await vaeParts(run) : await classifierParts(run)),
  ];
  print(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
}

const classifierParts = async (run: Run): Promise<string[]> => [
  epochTable(await run.metrics()),
  ...(run.record.result ? [resultTable(run.record.result)] : []),
];

const vaeParts = async (run: Run<'vae'>): Promise<string[]> => [
  vaeEpochTable(await run.metrics()),
  ...(run.record.result ? [vaeResultTable(run.record.result)] : []),
];

function facts(
  { config, data, engine, versions, machine, commit, created }: AnyRunRecord,
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
  const header = ['epoch', 'train loss', 'train error', 'valid loss', 'valid error', 'open', 'dead'];
  return rowsOf(header, epochs, (event) => [
    String(event.epoch),
    event.trainLoss.toFixed(4),
    percent(event.trainError),
    event.validLoss.toFixed(4),
    `${percent(event.validError)}${event.best ? ' *' : '  '}`,
    percent(event.density, 1),
    String(event.health.reduce((sum, { dead }) => sum + dead, 0)),
  ]);
}

function vaeEpochTable(lines: readonly MetricsLine<'vae'>[]): string {
  const epochs = lines.filter((line): line is MetricsLine<'vae'> & VaeEpochEvent => line.event === 'epoch');
  return rowsOf(['epoch', 'train ELBO', 'valid ELBO', 'latents on'], epochs, (event) => [
    String(event.epoch),
    (-event.trainLoss).toFixed(2),
    `${event.validElbo.toFixed(2)}${event.best ? ' *' : '  '}`,
    percent(event.health[0]?.rate ?? 0, 1),
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
