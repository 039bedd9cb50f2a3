import { resolveTask, type Task, type TaskData } from '../src/index.ts';
import { UsageError } from './exit.ts';
import { flagOf } from './flag-of.ts';
import { GATE_FLAGS, modelOf, models, ofOthers } from './named-models.ts';
import { DEFAULTS, type TrainConfig } from './train-config.ts';

/** What is wrong with the flags that are given, in a sentence. */
export function refusedFlag(config: TrainConfig, given: (name: string) => boolean): string | undefined {
  const { model } = config;
  const wrong = [...ofOthers(model), ...(modelOf(config)?.refused ?? [])].find(given);
  if (wrong === undefined) return undefined;
  const owner = Object.keys(models).find((name) => models[name].own.includes(wrong));
  return owner === undefined
    ? `${flagOf(wrong)} does not go with --model ${model}. Expected it to be left out.`
    : `${flagOf(wrong)} goes with --model ${owner}.`;
}

/** What is minimised and measured. @throws UsageError for a model that is made for another task, RangeError for one that there is not */
export function taskOf(config: TrainConfig, own: readonly Task[] = []): Task {
  const model = modelOf(config);
  const usual = model?.task(config) ?? 'classification';
  const task = resolveTask(config.task ?? usual, own);
  if (model?.otherTasks === false && task.name !== resolveTask(usual).name)
    throw new UsageError(
      `--model ${config.model} is a network for the task ${resolveTask(usual).name}, and --task is ${config.task}. Expected one of them.`,
    );
  return task;
}

/** Options that say what the network is. */
const NETWORK_FLAGS = ['model', ...ofOthers(''), 'neuron', 'units', 'outputMaxNorm'];

/**
 * How the network is asked for: by --layers, by --net, or by the other flags.
 * @param given was that flag on the command line?
 * @throws UsageError when it is asked for in two ways
 */
export function wayOf(
  flags: { layers?: string; net?: string },
  given: (name: string) => boolean,
): 'layers' | 'net' | undefined {
  const way = flags.layers !== undefined ? 'layers' : flags.net !== undefined ? 'net' : undefined;
  if (!way) return undefined;
  // A network of a file may leave its neuron open.
  const others = [...NETWORK_FLAGS, 'preset', ...GATE_FLAGS.filter((name) => name !== 'gaterLr'), 'net'];
  const other = others.find((name) => name !== way && given(name) && !(way === 'net' && name === 'neuron'));
  if (other) throw new UsageError(`--${way} and ${flagOf(other)} both say what the network is. Expected one of them.`);
  return way;
}

/** What a run's record says of a configuration: nothing of what its network is not made of. */
export function toldOf(config: TrainConfig): Readonly<Record<string, unknown>> {
  const { model } = config;
  const named = modelOf(config);
  const kept = ['model', 'gaterLr', ...(model === 'net' ? ['neuron'] : [])];
  const idle = named
    ? [...named.refused, ...ofOthers(model)]
    : [...NETWORK_FLAGS, ...GATE_FLAGS].filter((name) => !kept.includes(name));
  return Object.fromEntries(Object.entries(config).filter(([name]) => !idle.includes(name)));
}

/** The flags of which one asks for a network of gates or hidden units. */
const asksForUnits = (given: (name: string) => boolean): boolean =>
  [...NETWORK_FLAGS, 'preset', ...GATE_FLAGS].some((name) => name !== 'gaterLr' && given(name));

/** The network where neither --layers nor --net nor --model says it: the task's own where it has one and no flag is of another. */
export const usualModel = (task: Task<TaskData>, given: (name: string) => boolean): TrainConfig['model'] =>
  task.layers && !asksForUnits(given) ? 'task' : DEFAULTS.model;
