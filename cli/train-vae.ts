import type { Command } from 'commander';
import {
  type BasketRow,
  createModel,
  type Dataset,
  type Engine,
  latentSite,
  type Model,
  type ModelDescription,
  Run,
  type RunEvent,
  type Split,
  train,
  trainOptions,
  type VaeEpochEvent,
  type VaeEvent,
  type VaeKind,
  type VaeResultEvent,
  type VaeRunRecord,
  vaeLayers,
  vae as vaeTask,
} from '../src/index.ts';
import { nodeFolder } from '../src/platform/node/index.ts';
import { vaeCurvesChart } from './curves.ts';
import { UsageError } from './exit.ts';
import { print, printJson } from './output.ts';
import type { OwnCodeOf } from './own-code.ts';
import { duration, type Progress } from './progress.ts';
import { recordOf, withNewFolder } from './run-folder.ts';
import { millions, percent, table } from './table.ts';
import { flagOf, GATE_FLAGS, type TrainConfig } from './train-config.ts';
import { basketTable, tellResumed } from './train-report.ts';

/** Options of `train` that only a variational autoencoder takes. */
export interface VaeFlags {
  vae?: VaeKind;
  samples?: number;
}

/** Options that say something about gates or classifiers. */
const NOT_HERE = ['preset', ...GATE_FLAGS, 'maxNorm', 'patience', 'log'];
export const ONLY_VAE = ['vae', 'samples'];

const LATENTS = 200;
/** What trains the latents where no neuron is named. */
const NEURON = 'disarm';
/** Draws for the test bound. */
const SAMPLES = 100;

/** @throws UsageError when an option is given that does not go with the model */
export function checkVaeFlags(command: Command, model: TrainConfig['model']): void {
  const isVae = model === 'vae';
  const wrong = (isVae ? NOT_HERE : ONLY_VAE).find((name) => command.getOptionValueSource(name) === 'cli');
  if (wrong === undefined) return;
  const flag = flagOf(wrong);
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
  readonly own: OwnCodeOf;
}

/** Begins `flipgrad train --model vae`: `trainFolder` trains the run, unless there is to be none. */
export async function beginVae(
  using: Using,
  trainFolder: (run: Run<'vae'>, model: Model) => Promise<void>,
): Promise<void> {
  const { config, flags, data, engine, json, progress, signal } = using;
  const kind = flags.vae ?? 'linear';
  const layers = vaeLayers(kind, data.train.width, config.neuron, config.units);
  const spec = { inputs: data.train.width, layers, seed: flags.seed };
  const model = createModel(engine, { ...spec, neurons: using.own.neurons });
  // Latents that do not fit are told of before there is a folder.
  latentSite(model);
  const record = vaeRecord(using, kind, spec);
  if (!json) progress.print(headline(config, kind, data.train, model.parameters));
  if (flags.run === 'none')
    return followVae(
      train(model, data, { ...trainOptions(record), task: vaeTask({ samples: record.training.samples }), signal }),
      using,
    );
  return withNewFolder(flags.run, config, flags.seed, async (path) =>
    trainFolder(await Run.plan(nodeFolder(path), record), model),
  );
}

/** What run.json says of an autoencoder's run that is about to begin. */
function vaeRecord({ config, flags, data, engine, own }: Using, vae: VaeKind, model: ModelDescription): VaeRunRecord {
  const { training, ...facts } = recordOf(config, { ...flags, source: flags.data, data, model, engine, own, logs: [] });
  const samples = flags.samples ?? SAMPLES;
  const { neuron, units, epochs, batch, optimizer, lr, momentum, decay, basket, basketEvery } = config;
  const asked = { data: flags.data, model: config.model, vae, neuron, units, epochs, batch, optimizer, lr, momentum };
  const rest = { decay, ...(basket && { basket, basketEvery }), samples, seed: flags.seed };
  return { ...facts, kind: 'vae', training: { ...training, samples }, config: { ...asked, ...rest } };
}

/** Draws the curves of a run into its folder. */
export async function writeVaeCurves(run: Run<'vae'>): Promise<void> {
  const { data, config, seed } = run.record;
  const lines = await run.metrics();
  const epochs = lines.filter((line): line is typeof line & VaeEpochEvent => line.event === 'epoch');
  const title = `${data.name}, ${config.neuron ?? ''}, seed ${seed}`;
  await run.folder.write('curves.svg', new TextEncoder().encode(vaeCurvesChart(epochs, title)));
}

/** Consumes the events of training and tells the user. */
export async function followVae(
  events: AsyncIterable<VaeEvent | RunEvent<'vae'>>,
  { json, progress }: Pick<Using, 'json' | 'progress'>,
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
      progress.draw(`${event.what} data`, event.done / event.count, [`${event.done} of ${event.count} pictures`]);
      continue;
    }
    if (event.event === 'saved') continue;
    if (json) printJson(event);
    else if (event.event === 'epoch') progress.print(epochLine(event));
    else if (event.event === 'resumed') tellResumed(event, progress);
    else {
      progress.clear();
      print(`${vaeResultTable(event)}\n${basketTable(basket)}`);
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

/** The end of training as a table. */
export function vaeResultTable(result: VaeResultEvent): string {
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
