import { Command, Option } from 'commander';
import { USUAL_BLAS } from '../src/backend/engine.ts';
import {
  type Advice,
  advise,
  candidatesOf,
  type NeuronDefinition,
  type Run,
  resolveNeuron,
  resolveOptimizer,
  runModel,
  suits,
  unitOf,
  zoo,
} from '../src/index.ts';
import { createEngine, DATASET_NAMES, loadClasses } from '../src/platform/node/index.ts';
import { adviceText } from './advise-report.ts';
import { UsageError } from './exit.ts';
import { givenIn } from './flag-of.ts';
import { untilInterrupted } from './interrupt.ts';
import { openNetwork } from './network.ts';
import { wayOf } from './network-flags.ts';
import { count, neurons, positive, rate, wholeNumber, widths } from './options.ts';
import { print, printJson } from './output.ts';
import { codeOfRun, namesOfPaths, type OwnCodeOf, type OwnFlags, ownCode, withOwnCode } from './own-code.ts';
import { duration, terminalProgress } from './progress.ts';
import { classesOfRun, isClassification, openRun, taskOfRun } from './run-folder.ts';
import { checkNoTable, checkOfRun, tableOptions, tellTable, withTable } from './table-flags.ts';
import { DEFAULTS, optimizerSettings, type TrainConfig } from './train-config.ts';

interface AdviseFlags
  extends Partial<Omit<TrainConfig, 'neuron' | 'model' | 'net' | 'vae' | 'samples' | 'task' | 'target'>>,
    OwnFlags {
  data: string;
  dataDir?: string;
  model?: 'gated' | 'dense';
  neuron?: string[];
  run?: string;
  seconds: number;
  seeds: number;
  seed: number;
  threads?: number;
  blas: string;
  json?: boolean;
}

/** Which of a run's settings or of the flags make the network. */
const NETWORK = ['model', 'units', 'blocks', 'gater', 'activation', 'rate', 'sparsity', 'start'] as const;

/** `flipgrad advise`. */
export function adviseCommand(): Command {
  const command = new Command('advise')
    .description(
      'Find a neuron for your network and data: measure the gradients of all candidates, train with the best of them for equal time on the same seeds, and recommend one.',
    )
    .exitOverride()
    .option('--data <name>', `${DATASET_NAMES.join(', ')}, a folder of IDX files, or a CSV file`, 'digits')
    .option('--data-dir <dir>', 'folder of data sets (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .option('--run <dir>', 'use the data and the network of a trained run, and measure gradients in it')
    .addOption(
      new Option('--model <kind>', 'neurons as gates of blocks, or as hidden units').choices(['gated', 'dense']),
    )
    .option('--units <n>', `hidden or expert units (default: ${DEFAULTS.units})`, count)
    .option('--blocks <n>', `blocks of the expert units, each with a gate (default: ${DEFAULTS.blocks})`, count)
    .option('--gater <widths>', "widths of the gater's hidden layers, or none", widths)
    .option('--activation <name>', `neuron of the expert units (default: ${DEFAULTS.activation})`)
    .option('--rate <s>', `target share of open gates, or none (default: ${DEFAULTS.rate})`, rate)
    .option('--batch <n>', `examples in a minibatch (default: ${DEFAULTS.batch})`, count)
    .option('--optimizer <name>', `sgd or adam (default: ${DEFAULTS.optimizer})`)
    .option('--lr <rate>', 'learning rate (default: adam 0.001, sgd 0.1)', positive)
    .option('--neuron <names>', 'candidates (default: all that fit, at several values of their options)', neurons)
    .option('--seconds <n>', 'time for the whole command', positive, 60)
    .option('--seeds <n>', 'seeds of the final races, 3 or more', count, 4)
    .option('--seed <n>', 'of the data generator', wholeNumber, 1)
    .option('--threads <n>', 'default: one per core', count)
    .option('--blas <lib>', 'auto, off, or the path of a library', USUAL_BLAS)
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .option('--layers <text>', 'the network as layers, as `flipgrad train` takes it')
    .action((flags: AdviseFlags, command: Command) => untilInterrupted((signal) => run(flags, command, signal)));
  return withOwnCode(
    withTable(command),
    'a file that exports the network: a function of ({ neuron }); with --run, that of the run',
  );
}

async function run(asked: AdviseFlags, command: Command, signal: AbortSignal): Promise<void> {
  const flags = await namesOfPaths(asked);
  const progress = terminalProgress();
  const json = flags.json ?? !process.stdout.isTTY;
  try {
    const begun = flags.run === undefined ? undefined : await openRun(flags.run);
    const given = givenIn(command);
    const config = configOf(flags, given, begun?.record.config as Partial<TrainConfig> | undefined);
    const code = begun ? await codeOfRun(begun, flags) : await ownCode(flags);
    const { neurons: own } = code;
    const { dataDir, seed } = flags;
    const moved = given('data') ? flags.data : undefined;
    if (begun) checkOfRun(given);
    if (begun) checkClassification(begun, code);
    const { parts: data, ...about }: Awaited<ReturnType<typeof loadClasses>> = begun
      ? { parts: (await classesOfRun(begun, code, { dataDir }, moved)).split }
      : await loadClasses(flags.data, { dataDir, seed, table: tableOptions(flags) });
    if (!begun && !about.reading) checkNoTable(given, flags.data);
    tellTable({ json, progress }, about);
    const engineOptions = { blas: flags.blas, ...(flags.threads !== undefined && { threads: flags.threads }) };
    const makeEngine = () => createEngine(engineOptions);
    const { place, layersOf } = openNetwork(config, code, { inputs: data.train.width, outputs: data.train.classes });
    const resolved = (text: string) => resolveNeuron(text, undefined, own);
    const candidates = flags.neuron ?? allCandidates(own).filter((text) => suits(resolved(text), place));
    const named = candidates.find((text) => text === config.neuron && unitOf(resolved(text)) === 'bits');
    const engine = begun && (await makeEngine());
    const trained = begun && engine && (await runModel(begun, engine, code)).model;
    const settings = {
      data,
      layersOf,
      neurons: own,
      makeEngine,
      batch: config.batch,
      makeOptimizer: () => resolveOptimizer(config.optimizer, optimizerSettings(config)),
      signal,
      candidates,
      carrier: named ?? DEFAULTS.neuron,
      seconds: flags.seconds,
      seeds: flags.seeds,
      ...(trained && { trained }),
    };
    try {
      for await (const event of advise(settings)) {
        if (event.event === 'progress')
          progress.draw('advising', event.share, [event.what, `${duration(event.secondsLeft)} left`]);
        else tell(event.advice, json, progress.clear);
      }
    } finally {
      engine?.close();
    }
  } finally {
    progress.clear();
  }
}

function tell(advice: Advice, json: boolean, clear: () => void): void {
  clear();
  if (json) printJson({ event: 'advice', ...advice });
  else print(adviceText(advice));
}

/** @throws UsageError for a run of another task: candidates are trained and compared as classifiers */
function checkClassification(run: Run, code: Pick<OwnCodeOf, 'tasks'>): void {
  const task = taskOfRun(run, code);
  if (!isClassification(task))
    throw new UsageError(
      `${run.folder.path} is a run of the task "${task.name}". Expected a run of the task "classification".`,
    );
}

/** Defaults, under the run, under the flags. @throws UsageError for a network that has no neurons to choose, or two networks */
function configOf(
  flags: AdviseFlags,
  given: (name: string) => boolean,
  ofRun: Partial<TrainConfig> | undefined,
): TrainConfig {
  if (ofRun && !['gated', 'dense', 'layers', 'net'].includes(ofRun.model ?? ''))
    throw new UsageError(
      `${flags.run} is a run of the model "${ofRun.model}". Expected one of the models gated, dense, layers and net.`,
    );
  const changed = [...NETWORK, 'layers' as const].find((name) => ofRun && flags[name] !== undefined);
  if (changed) throw new UsageError(`--${changed} and --run both say what the network is. Expected one of them.`);
  const way = ofRun ? undefined : wayOf(flags, (name) => name !== 'neuron' && given(name));
  const { neuron: _, ...own } = flags;
  const said = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return { ...DEFAULTS, ...ofRun, ...(said as Partial<TrainConfig>), ...(way && { model: way }) };
}

/** The usual forms of all neurons first: where time runs out, they are measured. */
function allCandidates(own: readonly NeuronDefinition[]): string[] {
  const each = [...own, ...(Object.values(zoo) as unknown as NeuronDefinition[])].map(candidatesOf);
  return [...each.flatMap(({ usual }) => usual), ...each.flatMap(({ others }) => others)];
}
