import { Command, Option } from 'commander';
import {
  createModel,
  type Dataset,
  type EpochEvent,
  penalties,
  type ResultEvent,
  resolveOptimizer,
  type TrainEvent,
  train,
} from '../src/index.ts';
import { createEngine, DATASET_NAMES, type LoadOptions, loadDataset } from '../src/platform/node/index.ts';
import { count, number, positive, rate, wholeNumber, widths } from './options.ts';
import { duration, type Progress, terminalProgress } from './progress.ts';
import { RunFolder } from './run-folder.ts';
import { millions, percent, table } from './table.ts';
import { DEFAULTS, layersOf, optimizerSettings, PRESETS, type TrainConfig } from './train-config.ts';

interface TrainFlags extends Partial<TrainConfig> {
  data: string;
  dataDir?: string;
  preset?: string;
  seed: number;
  threads?: number;
  simd: 'auto' | 'simd' | 'relaxed';
  blas: string;
  out?: string;
  json?: boolean;
}

/** `flipgrad train`. */
export function trainCommand(): Command {
  return new Command('train')
    .description('Train a network with stochastic neurons or gates and measure it on test data.')
    .exitOverride()
    .option('--data <name>', `${DATASET_NAMES.join(', ')}, a folder of IDX files, or a CSV file`, 'digits')
    .option(
      '--data-dir <dir>',
      'where data sets lie and downloads go (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)',
    )
    .addOption(
      new Option('--preset <name>', 'settings of a paper, under any that you give').choices(Object.keys(PRESETS)),
    )
    .addOption(
      new Option('--model <kind>', 'neurons as gates of blocks, or as hidden units').choices(['gated', 'dense']),
    )
    .option('--neuron <name>', `neuron, with options as name:option=value (default: ${DEFAULTS.neuron})`)
    .option('--units <n>', `hidden or expert units (default: ${DEFAULTS.units})`, count)
    .option(
      '--blocks <n>',
      `blocks that the expert units stand in, each with a gate (default: ${DEFAULTS.blocks})`,
      count,
    )
    .option(
      '--gater <widths>',
      `widths of the gater's hidden layers, or none (default: ${DEFAULTS.gater.join(',')})`,
      widths,
    )
    .option('--activation <name>', `neuron of the expert units (default: ${DEFAULTS.activation})`)
    .option('--rate <s>', `target share of open gates, or none (default: ${DEFAULTS.rate})`, rate)
    .option(
      '--sparsity <name>',
      `${Object.keys(penalties).join(', ')}, none; NAME=λ; joined by + (default: fits the neuron)`,
    )
    .addOption(
      new Option('--start <rate>', 'gates start near the target rate, or from zero biases').choices(['rate', 'zero']),
    )
    .option('--nudge', 'raise the biases of dead gates')
    .option('--balance', 'balance gates by selection biases, without a loss (neurons that select: top-k, threshold, …)')
    .addOption(
      new Option('--compute <path>', 'every block, or open blocks alone (default: what is faster)').choices([
        'auto',
        'dense',
        'blocks',
      ]),
    )
    .option('--probe <p>', 'straight-through: compute closed blocks with this probability while training', positive)
    .option('--epochs <n>', `(default: ${DEFAULTS.epochs})`, count)
    .option('--batch <n>', `examples in a minibatch (default: ${DEFAULTS.batch})`, count)
    .option('--optimizer <name>', `sgd or adam (default: ${DEFAULTS.optimizer})`)
    .option('--lr <rate>', 'learning rate (default: adam 0.001, sgd 0.1)', positive)
    .option('--gater-lr <rate>', "the gater's learning rate (default: --lr times the neuron's own scale)", positive)
    .option('--momentum <m>', `(default: ${DEFAULTS.momentum})`, number)
    .option('--max-norm <r>', "largest norm of a unit's incoming weights (default: none)", positive)
    .option('--decay <f>', `factor on the learning rates after every epoch (default: ${DEFAULTS.decay})`, positive)
    .option('--patience <n>', 'stop after so many epochs without a better validation error', count)
    .option('--seed <n>', 'of the data generator, weights, order and draws', wholeNumber, 1)
    .option('--threads <n>', 'default: one a core', count)
    .addOption(new Option('--simd <build>', 'kernel build').choices(['auto', 'simd', 'relaxed']).default('auto'))
    .option('--blas <lib>', 'auto, off, or the path of a library', 'auto')
    .option('--out <dir>', 'write run.json and metrics.jsonl there')
    .option('--json', 'one JSON object a line (also when standard output is not a terminal)')
    .action(run);
}

async function run(flags: TrainFlags): Promise<void> {
  const config = configOf(flags);
  const json = flags.json ?? !process.stdout.isTTY;
  const progress = terminalProgress();
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const data = await loadDataset(flags.data, loadOptions(flags, progress, interrupt.signal));
    progress.clear();
    const engine = await createEngine({
      simd: flags.simd,
      blas: flags.blas,
      ...(flags.threads !== undefined && { threads: flags.threads }),
    });
    try {
      const layers = layersOf(config, data.train.classes);
      const model = createModel(engine, { inputs: data.train.width, layers, seed: flags.seed });
      const { epochs, batch, gaterLr, maxNorm, decay, patience } = config;
      const events = train(model, data, {
        epochs,
        batch,
        decay,
        optimizer: resolveOptimizer(config.optimizer, optimizerSettings(config)),
        signal: interrupt.signal,
        ...(gaterLr !== undefined && { gaterLearningRate: gaterLr }),
        ...(maxNorm !== undefined && { maxNorm }),
        ...(patience !== undefined && { patience }),
      });
      if (!json)
        progress.print(
          headline(
            config,
            data.train,
            model.parameters.reduce((sum, { tensor }) => sum + tensor.size, 0),
          ),
        );
      const folder = flags.out === undefined ? undefined : new RunFolder(flags.out, { ...flags, config });
      await follow(events, { json, progress, folder });
    } finally {
      engine.close();
    }
  } finally {
    progress.clear();
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** Defaults, under the preset, under the flags. */
function configOf(flags: TrainFlags): TrainConfig {
  const preset = flags.preset === undefined ? {} : PRESETS[flags.preset];
  const given = Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => value !== undefined && (name in DEFAULTS || OPTIONAL.has(name))),
  );
  const config: TrainConfig = { ...DEFAULTS, ...preset, ...given };
  return config;
}

const OPTIONAL: ReadonlySet<string> = new Set(['compute', 'probe', 'lr', 'sparsity', 'gaterLr', 'maxNorm', 'patience']);

function loadOptions(flags: TrainFlags, progress: Progress, signal: AbortSignal): LoadOptions {
  return {
    dataDir: flags.dataDir,
    seed: flags.seed,
    signal,
    onProgress({ file, received, total }) {
      const share = total ? received / total : 0;
      progress.draw(`Downloading ${file}`, share, [`${(received / 1e6).toFixed(1)} MB`]);
    },
  };
}

/** Consumes the events of training and tells the user. */
async function follow(
  events: AsyncIterable<TrainEvent>,
  { json, progress, folder }: { json: boolean; progress: Progress; folder: RunFolder | undefined },
): Promise<void> {
  for await (const event of events) {
    if (event.event === 'batch') {
      const share = (event.epoch - 1 + event.batch / event.batches) / event.epochs;
      progress.draw(`epoch ${event.epoch}/${event.epochs}`, share, [
        `batch ${event.batch}/${event.batches}`,
        `loss ${event.loss.toFixed(4)}`,
        `${event.examplesPerSecond.toFixed(0)} examples/s`,
        `${duration(event.secondsLeft)} left`,
      ]);
      continue;
    }
    folder?.append(event);
    if (event.event === 'result') folder?.finish(event);
    if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
    else if (event.event === 'epoch') progress.print(epochLine(event));
    else {
      progress.clear();
      process.stdout.write(`${resultTable(event)}\n`);
    }
  }
}

/** What is about to be trained, in one line. */
function headline(config: TrainConfig, { name, count: examples, width, classes }: Dataset, weights: number): string {
  const { model, neuron, units, blocks, rate: target, epochs, optimizer } = config;
  const open = target === 'none' ? '' : `, ${percent(target, 1)} to be open`;
  const middle =
    model === 'dense' ? `${units} ${neuron}` : `${units} units in ${blocks || units} blocks, ${neuron} gates${open}`;
  return `${examples} ${name}: ${width} → ${middle} → ${classes}; ${millions(weights)} weights, ${epochs} epochs of ${optimizer}`;
}

function epochLine(event: EpochEvent): string {
  const dead = event.health.reduce((sum, site) => sum + site.dead, 0);
  const on = event.health.reduce((sum, site) => sum + site.alwaysOn, 0);
  return [
    `epoch ${String(event.epoch).padStart(String(event.epochs).length)}`,
    `train loss ${event.trainLoss.toFixed(4)}`,
    `valid error ${percent(event.validError)}${event.best ? ' *' : ''}`,
    `open ${percent(event.health[0]?.rate ?? 1, 1)}`,
    ...(dead > 0 ? [`${dead} dead`] : []),
    ...(on > 0 ? [`${on} always on`] : []),
  ].join(' · ');
}

function resultTable(result: ResultEvent): string {
  const { testError, flops, training } = result;
  const skipped = training.executed < 0.999 * training.all;
  return table([
    ['test error, sampled', percent(testError.sampled)],
    ['test error, thresholded', percent(testError.threshold)],
    ['test error, mean-field', percent(testError.meanField)],
    ['validation error (best epoch)', `${percent(result.validError)} (epoch ${result.bestEpoch})`],
    ['gates open', percent(result.density, 1)],
    ['multiply-adds executed', `${millions(flops.executed)} (gater ${millions(flops.gater)})`],
    ['multiply-adds, dense', millions(flops.dense)],
    [
      'multiply-adds in training',
      `${millions(training.executed)} of ${millions(training.all)}${skipped ? '' : ' (nothing skipped)'}`,
    ],
    ['seconds', result.seconds.toFixed(1)],
    ['engine', `${result.engine}, ${result.threads} thread${result.threads === 1 ? '' : 's'}`],
    ['seed', String(result.seed)],
  ]);
}
