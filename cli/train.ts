import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { USUAL_BLAS } from '../src/backend/engine.ts';
import {
  type Crossovers,
  classification,
  createModel,
  type Engine,
  type EstimatorProbeRow,
  LOG_NAMES,
  type LogName,
  layerForms,
  layersText,
  type Model,
  type NeuronDefinition,
  type Parts,
  penalties,
  type Reading,
  Run,
  type RunEvent,
  readingOf,
  runModel,
  type Split,
  StorageError,
  shapeOf,
  type Task,
  type TaskEvent,
  tasks,
  train,
  trainOptions,
  trainRun,
} from '../src/index.ts';
import { createEngine, dataSources, type LoadOptions, loadTaskData, nodeFolder } from '../src/platform/node/index.ts';
import { USUAL_SEED } from '../src/random/stream.ts';
import { settingNames, settingSpec } from '../src/runs/train-settings.ts';
import { commandLine, pathWord } from './command-line.ts';
import { type CompareProgress, comparedLayers, compareNets, type RivalEvent } from './compare.ts';
import { comparisonSentence, comparisonTable, rivalLine } from './compare-report.ts';
import { Interruption, UsageError } from './exit.ts';
import { flagOf, givenIn } from './flag-of.ts';
import { untilInterrupted } from './interrupt.ts';
import { chainText, layersOfText, type Network, networkOf } from './network.ts';
import { count, list, seconds, wholeNumber } from './options.ts';
import { print, printJson } from './output.ts';
import {
  codeOfRun,
  namesOfPaths,
  type OwnCodeOf,
  type OwnFlags,
  ownCode,
  ownWords,
  type RunCode,
  withOwnCode,
} from './own-code.ts';
import { duration, type Progress, terminalProgress } from './progress.ts';
import { dataOfRun, isClassification, openRun, recordOf, sourceOf, taskOfRun, withNewFolder } from './run-folder.ts';
import { withSettings } from './settings.ts';
import { checkNoTable, tableOptions, tellTable } from './table-flags.ts';
import {
  DEFAULTS,
  modelOf,
  presetNames,
  presetOf,
  refusedFlag,
  type TrainConfig,
  taskOf,
  usualModel,
  wayOf,
} from './train-config.ts';
import { epochLine, estimatorTable, headline, resultTable, tellResumed } from './train-report.ts';

interface TrainFlags extends Partial<TrainConfig>, Omit<OwnFlags, 'net'> {
  data?: string;
  dataDir?: string;
  preset?: string;
  seed: number;
  threads?: number;
  simd: 'auto' | 'simd' | 'relaxed';
  blas: string;
  run?: string;
  resume?: string | true;
  anyEngine?: boolean;
  checkpointEvery: number;
  log: LogName[];
  json?: boolean;
  compare?: boolean;
}

const DATA_HELP = Object.entries(dataSources)
  .map(([kind, { names, files }]) => `${kind}: ${[...names, files].join(', ')}`)
  .join('; ');

/** `flipgrad train`. */
export function trainCommand(): Command {
  const named = new Command('train')
    .description('Train a network with stochastic neurons or gates and measure it on test data.')
    .exitOverride();
  const command = withSettings(named, {
    task: Object.keys(tasks).join(', '),
    data: `${DATA_HELP} (default: the first that fits the task)`,
    preset: presetNames(),
    layers: layerForms().join('; '),
    sparsity: Object.keys(penalties).join(', '),
  })
    .option(
      '--data-dir <dir>',
      'where data sets lie and downloads go (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)',
    )
    .option('--seed <n>', 'of the data generator, weights, order and draws', wholeNumber, USUAL_SEED)
    .option('--threads <n>', 'default: one a core', count)
    .addOption(new Option('--simd <build>', 'kernel build').choices(['auto', 'simd', 'relaxed']).default('auto'))
    .option('--blas <lib>', 'auto, off, or the path of a library', USUAL_BLAS)
    .option('--run <dir>', 'folder of the run, or none (default: runs/ with the time, the neuron and the seed)')
    .option('--resume [dir]', 'go on with the run of that folder; without one, with --run if it has begun')
    .option('--any-engine', 'resume on another engine too, though the result is then another one')
    .option('--checkpoint-every <seconds>', 'time between checkpoints', seconds, 30)
    .option('--log <names>', `logs beside metrics.jsonl: ${LOG_NAMES.join(', ')}`, list(LOG_NAMES), [])
    .option(
      '--compare',
      'then train dense networks of the same error and of the same cost, and measure all of them beside each other (a gated layer on classes; npm start is: train --preset sparse --compare)',
    )
    .option('--json', 'one JSON object a line (also when standard output is not a terminal)')
    .action((flags: TrainFlags, command: Command) => untilInterrupted((signal) => run(flags, command, signal)));
  return withOwnCode(
    command,
    'a TypeScript or JavaScript file that exports the network: a module, layers, or a function of ({ inputs, classes, neuron }); FILE#NAME for one of several',
  );
}

/** What a command that trains needs all the way. */
interface Session {
  readonly flags: TrainFlags;
  readonly command: Command;
  readonly json: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

async function run(given: TrainFlags, command: Command, signal: AbortSignal): Promise<void> {
  const progress = terminalProgress();
  const json = given.json ?? !process.stdout.isTTY;
  try {
    const flags = await namesOfPaths(given);
    const session = { flags, command, json, progress, signal };
    const begun = await begunRun(flags);
    await (begun ? resume(session, begun) : begin(session));
  } finally {
    progress.clear();
  }
}

/** The run to go on with, if that was asked for and it has begun. */
async function begunRun({ resume: asked, run: named }: TrainFlags): Promise<Run | undefined> {
  if (asked === undefined) return undefined;
  if (typeof asked === 'string' && named !== undefined && named !== asked)
    throw new UsageError(`--resume ${asked} and --run ${named} name two folders. Expected one of them.`);
  const path = typeof asked === 'string' ? asked : named;
  if (path === undefined || path === 'none') throw new UsageError('--resume wants the folder of a run: --resume DIR.');
  return asked !== true || (await Run.isIn(nodeFolder(path))) ? openRun(path) : undefined;
}

/** Settings that do nothing for a network are told of, since a sweep may choose between models; others are refused. */
function checkFlags({ command, progress }: Session, config: TrainConfig): void {
  const given = givenIn(command);
  const wrong = refusedFlag(config, given);
  if (wrong !== undefined) throw new UsageError(wrong);
  const { idle = [] } = modelOf(config) ?? {};
  const told = idle.filter(given).map(flagOf);
  if (told.length > 0)
    progress.print(`--model ${config.model} has no gates, so that this does nothing: ${told.join(', ')}.`);
}

/** A new run, or training without a folder. */
async function begin(session: Session): Promise<void> {
  const { flags, progress, signal } = session;
  const own = await ownCode(flags);
  const { config, task } = configOf(session, own);
  if (flags.run === 'none' && flags.log.length > 0)
    throw new UsageError('--log writes into the folder of a run, and --run none has none. Expected one of them.');
  checkFlags(session, config);
  const loaded = await loadTaskData(task, flags.data, {
    ...loadOptions(session, flags.seed),
    table: tableOptions(flags),
    context: config.context,
  });
  const { source, parts: data, reading } = loaded;
  progress.clear();
  if (!reading) checkNoTable(givenIn(session.command), source);
  if (config.context !== undefined && loaded.context === undefined)
    throw new UsageError(
      `--context says how a text is read, and the data "${source}" are no text. Expected --data text:PATH or --task next-token, or no --context.`,
    );
  tellTable(session, loaded);
  const trained = await withEngine(flags, async (engine) => {
    const shape = shapeOf(task, data.train);
    const sizes = { inputs: shape.width, outputs: shape.outputs };
    const usual = task.layers?.(data.train);
    const network = networkOf(config, own, { ...sizes, ...(usual && { usual }) });
    const { layers, neurons: named } = network;
    const model = createModel(engine, { inputs: shape.width, layers, seed: flags.seed, neurons: named });
    if (model.outputs !== shape.outputs)
      throw new UsageError(
        `The network of ${flags.net} has ${model.outputs} outputs, and ${data.train.name} has ${shape.outputs} ${shape.classes === shape.outputs ? 'classes' : 'targets'}. Expected as many outputs, or a function of ({ outputs }).`,
      );
    // Data that do not fit are told of before there is a folder.
    for (const part of [data.train, data.valid, data.test]) task.check(model, part);
    const about = {
      ...flags,
      ...(reading && { reading }),
      context: loaded.context,
      source,
      task,
      logs: flags.log,
      data,
      engine,
      own,
    };
    const record = recordOf(config, { ...about, model: model.description });
    if (flags.compare) checkComparable(task, model.description);
    tellNetwork(session, config, { task, model, network, data });
    if (flags.run !== 'none')
      return withNewFolder(flags.run, config, flags.seed, async (path) =>
        trainFolder(await Run.plan(nodeFolder(path), record), { engine, data, model, own }, session),
      );
    const events = train(model, data, { ...trainOptions(record), task, signal });
    await follow(events as unknown as AsyncIterable<TaskEvent>, session, readingOf(task));
    return copyOf(model, trainOptions(record));
  });
  if (flags.compare) await compare(session, trained, data, flags);
}

/** Goes on with a run: its record says with what. */
async function resume(session: Session, begun: Run): Promise<void> {
  const { flags, command, progress } = session;
  const { record } = begun;
  const own = await codeOfRun(begun, flags);
  checkGiven(command, { ...flags, ...withLayers(flags, own.neurons) }, begun);
  const data = await dataOfRun(begun, own, loadOptions(session, record.data.seed), flags.data);
  progress.clear();
  const { simd, blas, crossovers } = record.engine;
  const given = givenIn(command);
  const engineFlags = {
    ...flags,
    simd: given('simd') ? flags.simd : (simd as TrainFlags['simd']),
    // The path of a library comes from the command line, each time: a record holds none.
    blas: given('blas') ? flags.blas : blas,
    crossovers,
  };
  const { epochs } = flags;
  const source = flags.data === undefined ? undefined : sourceOf(flags.data);
  if (flags.compare) checkComparable(taskOfRun(begun, own), record.model);
  const usual = flags.anyEngine ? flags : engineFlags;
  const trained = await withEngine(usual, (engine) =>
    trainFolder(
      begun,
      { engine, data, own, ...(source !== undefined && { source }), ...(epochs !== undefined && { epochs }) },
      session,
    ),
  );
  if (flags.compare) await compare(session, trained, data, usual);
}

/** A network that was trained, to be made again on another engine. */
interface Trained {
  readonly training: ReturnType<typeof trainOptions>;
  /** Its folder, where it has one. */
  readonly folder?: string;
  load(engine: Engine): Promise<Model>;
}

function copyOf(model: Model, training: Trained['training']): Trained {
  const snapshot = model.snapshot();
  return {
    training,
    async load(engine) {
      const copy = createModel(engine, model.spec);
      copy.restore(snapshot);
      return copy;
    },
  };
}

/** @throws UsageError for a task that is no classification, or a network that is no gated layer */
function checkComparable(task: Task, model: Parameters<typeof comparedLayers>[0]): void {
  if (!isClassification(task))
    throw new UsageError(
      `--compare measures errors of classes, and the task is ${task.name}. Expected --task ${classification.name}.`,
    );
  comparedLayers(model);
}

/** Trains the rivals of a network, and tells how all of them do. */
async function compare(
  { json, progress, signal, flags }: Session,
  { training, load, folder }: Trained,
  data: Parts,
  engineFlags: EngineFlags,
): Promise<void> {
  const options = {
    data: data as unknown as Split,
    ...{ training, load, signal },
    withEngine: <T>(threads: 'one' | 'all', use: (engine: Engine) => Promise<T>) =>
      withEngine({ ...engineFlags, ...(threads === 'one' && { threads: 1 }) }, use),
    onEvent(event: RivalEvent | CompareProgress) {
      if (event.event === 'training') progress.draw(`rival ${event.layers}`, event.share, []);
      else if (json) printJson(event);
      else progress.print(rivalLine(event));
    },
  };
  try {
    const comparison = await compareNets(options);
    progress.clear();
    if (!json) return print(`\n${comparisonTable(comparison)}\n\n${comparisonSentence(comparison)}\n`);
    const { rows, ...rest } = comparison;
    for (const row of rows) printJson({ event: 'compared', ...row });
    printJson({ ...rest, sentence: comparisonSentence(comparison) });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    const again = folder && commandLine('train', '--resume', pathWord(folder), '--compare', ...ownWords(flags));
    throw new Interruption(
      `Interrupted while the rivals were trained.${again ? ` The network is saved; to compare it: ${again}` : ''}`,
    );
  }
}

type EngineFlags = Pick<TrainFlags, 'simd' | 'blas' | 'threads'> & { readonly crossovers?: Crossovers };

/** @throws UsageError when a flag contradicts the run: only `--epochs` and what does not change the result may differ */
function checkGiven(command: Command, flags: TrainFlags, { record, folder }: Run): void {
  const given = givenIn(command);
  const settings: Record<string, unknown> = {
    ...flags,
    ...(flags.preset !== undefined && presetOf(flags.preset, record.config.model as TrainConfig['model'])),
    ...flags,
  };
  const { task, logs } = record;
  if (given('log') && [...flags.log].sort().join() !== [...logs].sort().join())
    throw new UsageError(
      `--log is ${flags.log.join(',')} here and ${logs.join(',') || 'none'} in ${folder.path}. Expected ${logs.length > 0 ? `--log ${logs.join(',')}, or ` : ''}no --log, or another folder.`,
    );
  for (const name of [...settingNames, 'seed'].filter((one) => one !== 'preset')) {
    const others = { data: [record.data.source], task: [task.name] } as Readonly<Record<string, unknown[]>>;
    const known = [record.config[name], ...(Object.hasOwn(others, name) ? others[name] : [])];
    const same = known.some((value) => JSON.stringify(value) === JSON.stringify(settings[name]));
    if (
      name === 'epochs' ||
      name === 'net' ||
      name === 'data' ||
      same ||
      !(given(name) || (given('preset') && name in settings))
    )
      continue;
    throw new UsageError(
      `${flagOf(name)} is ${JSON.stringify(settings[name])} here and ${JSON.stringify(known.findLast((value) => value !== undefined)) ?? 'not set'} in ${folder.path}. Expected the same value, none, or another folder.`,
    );
  }
}

async function withEngine<T>(
  { simd, blas, threads, crossovers }: EngineFlags,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await createEngine({
    simd,
    blas,
    ...(threads !== undefined && { threads }),
    ...(crossovers && { crossovers }),
  });
  try {
    return await use(engine);
  } finally {
    engine.close();
  }
}

/** Trains a run in its folder, and says how to go on when it is interrupted. */
async function trainFolder(
  run: Run,
  using: { engine: Engine; data: Parts; model?: Model; own?: OwnCodeOf | RunCode; source?: string; epochs?: number },
  session: Session,
): Promise<Trained> {
  const { flags, json, progress, signal } = session;
  const { path } = run.folder;
  const again = commandLine('train', '--resume', pathWord(path), ...ownWords(flags));
  if (json) printJson({ event: 'run', folder: path });
  else progress.print(`run folder: ${path}`);
  const by = { pid: process.pid, host: hostname() };
  const options = {
    ...using,
    signal,
    checkpointSeconds: flags.checkpointEvery,
    anyEngine: flags.anyEngine ?? false,
    by,
  };
  try {
    await follow(trainRun(run, options), session, run.reading);
  } catch (error) {
    if (error instanceof StorageError && error.full) throw new UsageError(`${error.message} To go on then: ${again}`);
    if (!signal.aborted || error !== signal.reason) throw error;
    const kept = await Run.isIn(run.folder);
    throw new Interruption(
      kept
        ? `Interrupted and saved. To go on: ${again}`
        : 'Interrupted before the training began; nothing was written.',
    );
  }
  const lines = await run.metrics();
  // Plot and linkedom load slowly: see docs/decisions/2026-11-29-pictures-are-drawn-by-plot-on-linkedom.md.
  const { curvesChart } = await import('./curves.ts');
  await run.folder.write('curves.svg', new TextEncoder().encode(curvesChart(lines, run.record, run.reading)));
  return {
    training: trainOptions(run.record),
    folder: path,
    load: async (engine) => (await runModel(run, engine, using.own)).model,
  };
}

/**
 * The configuration and its task: defaults, those of the model and the task, under the preset, under the flags.
 * @throws UsageError for two networks, or layers that cannot be read
 */
function configOf({ flags, command }: Session, own: OwnCodeOf): { config: TrainConfig; task: Task } {
  const given = givenIn(command);
  const way = wayOf(flags, given) ?? flags.model;
  const said = Object.fromEntries(
    Object.entries(flags).filter(
      ([name]) =>
        given(name) && (settingSpec(name) !== undefined || name === 'net') && name !== 'data' && name !== 'preset',
    ),
  );
  const asked = {
    ...DEFAULTS,
    ...(way && { model: way }),
    ...modelOf({ model: way ?? DEFAULTS.model })?.defaults,
    ...said,
  };
  const task = taskOf({ ...asked, ...(way && { model: way }) }, own.tasks);
  const model = way ?? usualModel(task, given);
  const preset = flags.preset === undefined ? {} : presetOf(flags.preset, model);
  const { batch } = task.defaults;
  const config = { ...asked, batch, ...preset, ...said, model, ...withLayers(flags, own.neurons) };
  return { config: config as TrainConfig, task };
}

/** The text of --layers in its usual form. */
const withLayers = ({ layers }: TrainFlags, own: readonly NeuronDefinition[]): { layers?: string } =>
  layers === undefined ? {} : { layers: layersText(layersOfText(layers, own)) };

/** Says what is about to be trained; of a network that was described, how it was understood. */
function tellNetwork(
  { json, progress }: Session,
  config: TrainConfig,
  { task, model, network, data }: { task: Task; model: Model; network: Network; data: Parts },
): void {
  const { added } = network;
  if (!json) {
    const weights = model.parameters.reduce((sum, { tensor }) => sum + tensor.size, 0);
    progress.print(headline(config, data.train, shapeOf(task, data.train), weights, chainText(network.layers)));
    if (added) progress.print(`Added at the end, for the outputs: ${layersText([added])}.`);
  } else if (!modelOf(config))
    printJson({ event: 'network', layers: model.description.layers, ...(added && { added: layersText([added]) }) });
}

function loadOptions({ flags, progress, signal }: Session, seed: number): LoadOptions {
  return {
    dataDir: flags.dataDir,
    seed,
    signal,
    onProgress({ file, received, total }) {
      const share = total ? received / total : 0;
      progress.draw(`Downloading ${file}`, share, [`${(received / 1e6).toFixed(1)} MB`]);
    },
  };
}

/** Consumes the events of training and tells the user. */
async function follow(
  events: AsyncIterable<TaskEvent | RunEvent>,
  { json, progress }: Session,
  task: Reading,
): Promise<void> {
  let estimators: readonly EstimatorProbeRow[] = [];
  for await (const event of events) {
    if (event.event === 'epoch') estimators = event.estimatorProbe ?? [];
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
    if (event.event === 'measure') {
      progress.draw(`${event.what} data`, event.done / event.count, [`${event.done} of ${event.count} examples`]);
      continue;
    }
    if (event.event === 'saved') continue;
    if (json) printJson(event);
    else if (event.event === 'epoch') progress.print(epochLine(event, task));
    else if (event.event === 'resumed') tellResumed(event, progress);
    else {
      progress.clear();
      print(`${resultTable(event, task)}\n${estimatorTable(estimators)}`);
    }
  }
}
