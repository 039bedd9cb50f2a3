import type { Command } from 'commander';
import {
  type BasketRow,
  createModel,
  type Dataset,
  type Engine,
  type Folder,
  resolveOptimizer,
  type Split,
  saveModel,
  trainVae,
  type VaeEpochEvent,
  type VaeEvent,
  type VaeKind,
  type VaeResultEvent,
  vaeLayers,
} from '../src/index.ts';
import { nodeFolder } from '../src/platform/node/index.ts';
import { vaeCurvesChart } from './curves.ts';
import { Interruption, UsageError } from './exit.ts';
import { duration, type Progress } from './progress.ts';
import { newFolder, recordOf } from './run-folder.ts';
import { millions, percent, table } from './table.ts';
import { basketOf, optimizerSettings, type TrainConfig } from './train-config.ts';
import { basketTable } from './train-report.ts';

/** Options of `train` that only a variational autoencoder takes. */
export interface VaeFlags {
  vae?: VaeKind;
  samples?: number;
}

/** Options that say something about gates, classifiers or checkpoints. */
const NOT_HERE = [
  'preset',
  'blocks',
  'gater',
  'activation',
  'rate',
  'sparsity',
  'start',
  'nudge',
  'balance',
  'compute',
  'probe',
  'gaterLr',
  'maxNorm',
  'patience',
  'resume',
  'anyEngine',
  'checkpointEvery',
  'log',
];
const ONLY_HERE = ['vae', 'samples'];

const LATENTS = 200;
/** What trains the latents where no neuron is named. */
const NEURON = 'disarm';
/** run.json is for runs that can be resumed. */
const RECORD = 'vae.json';
const FORMAT = 'flipgrad vae run 1';

/** @throws UsageError when an option is given that does not go with the model */
export function checkVaeFlags(command: Command, model: TrainConfig['model']): void {
  const isVae = model === 'vae';
  const wrong = (isVae ? NOT_HERE : ONLY_HERE).find((name) => command.getOptionValueSource(name) === 'cli');
  if (wrong === undefined) return;
  const flag = `--${wrong.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError(
    isVae ? `${flag} does not go with --model vae; leaving it out would do.` : `${flag} goes with --model vae.`,
  );
}

/** The configuration with a variational autoencoder's own defaults where nothing was given. */
export function vaeConfig(command: Command, config: TrainConfig): TrainConfig {
  const given = (name: string) => command.getOptionValueSource(name) === 'cli';
  return {
    ...config,
    neuron: given('neuron') ? config.neuron : NEURON,
    units: given('units') ? config.units : LATENTS,
  };
}

interface Using {
  readonly config: TrainConfig;
  readonly flags: VaeFlags & { data: string; seed: number; simd: string; blas: string; run?: string };
  readonly data: Split;
  readonly engine: Engine;
  readonly json: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** `flipgrad train --model vae`. */
export async function runVae(using: Using): Promise<void> {
  const { config, flags, data, engine, json, progress, signal } = using;
  const { epochs, batch, decay } = config;
  const kind = flags.vae ?? 'linear';
  const layers = vaeLayers(kind, data.train.width, config.neuron, config.units);
  const spec = { inputs: data.train.width, layers, seed: flags.seed };
  const model = createModel(engine, spec);
  const optimizer = resolveOptimizer(config.optimizer, optimizerSettings(config));
  const samples = flags.samples ?? 100;
  if (!json) progress.print(headline(config, kind, data.train, model.parameters));
  const basket = basketOf(config);
  const given = { epochs, batch, decay, optimizer, samples, signal, ...(basket && { basket }) };
  const training = trainVae(model, data, given);
  if (flags.run === 'none') return follow(training, using);
  const folder = nodeFolder(flags.run ?? newFolder(config, flags.seed));
  const found = (await folder.list()).find((name) => !name.startsWith('.'));
  if (found) throw new UsageError(`${folder.path} holds ${found} already; a new or empty folder would do.`);
  const lock = await folder.lock();
  try {
    const { format: _, ...facts } = recordOf(config, {
      ...flags,
      source: flags.data,
      data,
      model: spec,
      engine,
      logs: [],
    });
    const { neuron, units, optimizer: by, lr } = config;
    const asked = { data: flags.data, model: 'vae', vae: kind, neuron, units, epochs, batch, optimizer: by, lr, decay };
    const record = { format: FORMAT, ...facts, config: { ...asked, samples, seed: flags.seed } };
    await folder.write(RECORD, encode(record));
    if (json) process.stdout.write(`${JSON.stringify({ event: 'run', folder: folder.path })}\n`);
    else progress.print(`run folder: ${folder.path}`);
    const kept: VaeEpochEvent[] = [];
    try {
      await follow(training, using, async (event) => {
        await folder.append(
          'metrics.jsonl',
          new TextEncoder().encode(`${JSON.stringify({ ...event, time: Date.now() / 1000 })}\n`),
        );
        if (event.event === 'epoch') kept.push(event);
        else await folder.write(RECORD, encode({ ...record, result: event }));
      });
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      await finish(folder, kept, model, using);
      throw new Interruption(
        `Interrupted; the weights of now are in ${folder.path}/weights.safetensors. Training of autoencoders cannot be resumed.`,
      );
    }
    await finish(folder, kept, model, using);
  } finally {
    await lock.release();
  }
}

const encode = (record: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`);

/** Weights and curves. */
async function finish(
  folder: Folder,
  epochs: readonly VaeEpochEvent[],
  model: ReturnType<typeof createModel>,
  { config, flags, data }: Using,
): Promise<void> {
  await folder.write('weights.safetensors', saveModel(model));
  const title = `${data.train.name}, ${config.neuron}, seed ${flags.seed}`;
  await folder.write('curves.svg', new TextEncoder().encode(vaeCurvesChart(epochs, title)));
}

/** Consumes the events of training, tells the user, and hands on what is to be kept. */
async function follow(
  events: AsyncIterable<VaeEvent>,
  { json, progress }: Using,
  keep: (event: VaeEpochEvent | VaeResultEvent) => Promise<void> = async () => {},
): Promise<void> {
  let basket: readonly BasketRow[] = [];
  for await (const event of events) {
    if (event.event === 'epoch') basket = event.basket ?? [];
    if (event.event === 'batch') {
      const share = (event.epoch - 1 + event.batch / event.batches) / event.epochs;
      progress.draw(`epoch ${event.epoch}/${event.epochs}`, share, [
        `batch ${event.batch}/${event.batches}`,
        `−ELBO ${event.loss.toFixed(2)}`,
        `${event.examplesPerSecond.toFixed(0)} pictures/s`,
        `${duration(event.secondsLeft)} left`,
      ]);
      continue;
    }
    if (event.event === 'measure') {
      progress.draw(event.what, event.done / event.count, [`${event.done} of ${event.count} pictures`]);
      continue;
    }
    await keep(event);
    if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
    else if (event.event === 'epoch') progress.print(epochLine(event));
    else {
      progress.clear();
      process.stdout.write(`${resultTable(event)}\n${basketTable(basket)}`);
    }
  }
}

/** What is about to be trained, in one line. */
function headline(
  { neuron, units, epochs, optimizer }: TrainConfig,
  kind: VaeKind,
  { name, count, width }: Dataset,
  parameters: ReturnType<typeof createModel>['parameters'],
): string {
  const weights = parameters.reduce((sum, { tensor }) => sum + tensor.size, 0);
  return `${count} ${name}, binarised: ${kind} autoencoder ${width} → ${units} ${neuron} → ${width}; ${millions(weights)} weights, ${epochs} epochs of ${optimizer}`;
}

function epochLine({ epoch, epochs, trainLoss, validElbo, best, health }: VaeEpochEvent): string {
  return [
    `epoch ${String(epoch).padStart(String(epochs).length)}`,
    `train ELBO ${(-trainLoss).toFixed(2)}`,
    `valid ELBO ${validElbo.toFixed(2)}${best ? ' *' : ''}`,
    ...health.map(({ rate }) => `latents on ${percent(rate, 1)}`),
  ].join(' · ');
}

function resultTable(result: VaeResultEvent): string {
  const { trainElbo, testElbo, testBound, validElbo, samples, bestEpoch, engine, threads } = result;
  return table([
    ['train ELBO, nats', trainElbo.toFixed(2)],
    ['validation ELBO (best epoch)', `${validElbo.toFixed(2)} (epoch ${bestEpoch})`],
    ['test ELBO', testElbo.toFixed(2)],
    [`test bound of ${samples} draws`, testBound.toFixed(2)],
    ['seconds', result.seconds.toFixed(1)],
    ['engine', `${engine}, ${threads} thread${threads === 1 ? '' : 's'}`],
    ['seed', String(result.seed)],
  ]);
}
