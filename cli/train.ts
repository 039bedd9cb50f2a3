import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { USUAL_BLAS } from '../src/backend/engine.ts';
import {
  createModel,
  type Engine,
  LOG_NAMES,
  layerForms,
  type Model,
  type Parts,
  penalties,
  Run,
  readingOf,
  runModel,
  StorageError,
  shapeOf,
  type TaskEvent,
  tasks,
  train,
  trainOptions,
  trainRun,
} from '../src/index.ts';
import { dataSources, loadTaskData, nodeFolder } from '../src/platform/node/index.ts';
import { USUAL_SEED } from '../src/random/stream.ts';
import { commandLine, pathWord } from './command-line.ts';
import { Interruption, UsageError } from './exit.ts';
import { givenIn } from './flag-of.ts';
import { untilInterrupted } from './interrupt.ts';
import { presetNames } from './named-models.ts';
import { networkOf } from './network.ts';
import { count, list, seconds, wholeNumber } from './options.ts';
import { printJson } from './output.ts';
import { codeOfRun, namesOfPaths, type OwnCodeOf, ownCode, ownWords, type RunCode, withOwnCode } from './own-code.ts';
import { terminalProgress } from './progress.ts';
import { dataOfRun, recordOf, sourceOf, taskOfRun, withNewFolder } from './run-folder.ts';
import { withSettings } from './settings.ts';
import { checkNoTable, tableOptions, tellTable } from './table-flags.ts';
import { checkComparable, compare, copyOf, type Trained } from './train-compare.ts';
import { withEngine } from './train-engine.ts';
import {
  begunRun,
  checkFlags,
  checkGiven,
  configOf,
  type Session,
  type TrainFlags,
  withLayers,
} from './train-flags.ts';
import { follow, loadOptions, tellNetwork } from './train-follow.ts';

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
    .option('--data-dir <dir>', 'folder of data sets and downloads (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .option('--seed <n>', 'seed of the data generator, weights, order and draws', wholeNumber, USUAL_SEED)
    .option('--threads <n>', 'default: one per core', count)
    .addOption(new Option('--simd <build>', 'kernel build').choices(['auto', 'simd', 'relaxed']).default('auto'))
    .option('--blas <lib>', 'auto, off, or the path of a library', USUAL_BLAS)
    .option('--run <dir>', 'folder of the run, or none (default: runs/ with the time, the neuron and the seed)')
    .option('--resume [dir]', 'resume the run in this folder; without a folder, the run of --run if it has begun')
    .option('--any-engine', 'resume on another engine, although the result will differ')
    .option('--checkpoint-every <seconds>', 'time between checkpoints', seconds, 30)
    .option('--log <names>', `logs beside metrics.jsonl: ${LOG_NAMES.join(', ')}`, list(LOG_NAMES), [])
    .option(
      '--compare',
      'then train dense networks of the same error and of the same cost, and compare them with the gated one (for one gated layer on classes; npm start runs: train --preset sparse --compare)',
    )
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .action((flags: TrainFlags, command: Command) => untilInterrupted((signal) => run(flags, command, signal)));
  return withOwnCode(
    command,
    'a TypeScript or JavaScript file that exports the network: a module, layers, or a function of ({ inputs, classes, neuron }); FILE#NAME for one of several',
  );
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
  const task = taskOfRun(begun, own);
  const data = await dataOfRun(begun, task, loadOptions(session, record.data.seed), flags.data);
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
  if (flags.compare) checkComparable(task, record.model);
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
