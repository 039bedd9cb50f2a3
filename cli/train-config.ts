import {
  attention,
  type DenseSpec,
  embedding,
  experts,
  type GatedSpec,
  type GateOptions,
  type LayerSpec,
  type NeuronDefinition,
  norm,
  residual,
  resolveNeuron,
  resolveTask,
  type SparsitySpec,
  sequential,
  type Task,
  type TaskData,
  vaeLayers,
} from '../src/index.ts';
import { suggest } from '../src/math/text.ts';
import { type AllSettings, usualSettings } from '../src/runs/train-settings.ts';
import { UsageError } from './exit.ts';
import { flagOf } from './flag-of.ts';

/** What `train` can be told about the network, the data and the training. */
export type TrainConfig = Omit<AllSettings, 'model'> & {
  model: 'gated' | 'dense' | 'vae' | 'lm' | 'layers' | 'net' | 'task';
  /** Of the model `net`: the file, with the export after #. */
  net?: string;
};

/** A gated network on the embedded digits. */
export const DEFAULTS: TrainConfig = usualSettings;

type Presets = Readonly<Record<string, Partial<TrainConfig>>>;

/** The network of the 2013 paper. */
const BENGIO_2013: Presets = {
  'bengio-2013': {
    units: 2000,
    blocks: 2000,
    gater: [400],
    activation: 'linear',
    rate: 0.1,
    start: 'zero',
    steer: false,
    batch: 32,
    optimizer: 'sgd',
    lr: 0.1,
    maxNorm: 2,
    // The authors limit the three matrices of the conditional layer; the softmax layer is free.
    outputMaxNorm: 'none',
  },
};

const GATED_PRESETS: Presets = {
  ...BENGIO_2013,
  // The main job: gates that skip while training too, and a gater of a tenth of the work.
  sparse: {
    neuron: 'noisy-top-k:value=sigmoid',
    units: 1024,
    blocks: 32,
    gater: [16],
    rate: 0.125,
    lr: 0.002,
    decay: 0.85,
    epochs: 15,
  },
};

/** Transformers on text. A byte opens rate × experts of the experts. */
const LM_PRESETS = {
  small: {
    ...{ context: 128, width: 64, depth: 2, heads: 4, experts: 8, units: 128, rate: 0.25 },
    ...{ neuron: 'noisy-top-k', gater: [], batch: 16, lr: 0.003, decay: 0.7, epochs: 5 },
  },
  medium: {
    ...{ context: 256, width: 128, depth: 4, heads: 4, experts: 16, units: 256, rate: 0.125 },
    ...{ neuron: 'noisy-top-k', gater: [], batch: 8, lr: 0.002, decay: 0.7, epochs: 5 },
  },
} satisfies Presets;

/** Numbers that a network takes and gives. */
export interface NetworkSizes {
  readonly inputs: number;
  readonly outputs: number;
}

/** A network that --model names. */
interface NetworkModel {
  /** Flags that say nothing to it: a sweep may choose between models, so that they are told of and not refused. */
  readonly idle: readonly string[];
  /** Flags that it refuses, beside those that are others' own. */
  readonly refused: readonly string[];
  /** Flags that are its own: every other network refuses them. */
  readonly own: readonly string[];
  /** Named deltas over its defaults. */
  readonly presets: Presets;
  /** What it has in the place of the defaults. */
  readonly defaults: Partial<TrainConfig>;
  /** The task that it is made for, and whether it can have no other. */
  task(config: TrainConfig): string;
  readonly otherTasks: boolean;
  layers(config: TrainConfig, sizes: NetworkSizes): LayerSpec[];
}

const classifies = () => 'classification';

export const MODELS = {
  gated: {
    ...{ idle: [], refused: [], own: [], presets: GATED_PRESETS, defaults: {} },
    task: classifies,
    otherTasks: true,
    layers: gatedLayers,
  },
  dense: {
    get idle() {
      return GATE_FLAGS;
    },
    ...{ refused: [], own: [], presets: BENGIO_2013, defaults: {} },
    task: classifies,
    otherTasks: true,
    layers: (config, { outputs }) => [
      { layer: 'dense', units: config.units, neuron: config.neuron, name: 'hidden' },
      outputLayer(config, outputs),
    ],
  },
  vae: {
    idle: [],
    get refused() {
      return ['preset', 'outputMaxNorm', ...GATE_FLAGS];
    },
    own: ['vae', 'samples'],
    presets: {},
    defaults: { neuron: 'disarm', units: 200, vae: 'linear', samples: 100 },
    task: ({ samples }) => `vae:samples=${samples}`,
    otherTasks: false,
    layers: ({ vae = 'linear', neuron, units }, { inputs }) => vaeLayers(vae, inputs, neuron, units),
  },
  lm: {
    ...{ idle: [], refused: ['blocks'], own: ['width', 'depth', 'heads', 'experts'] },
    presets: LM_PRESETS,
    defaults: LM_PRESETS.small,
    task: () => 'next-token',
    otherTasks: false,
    layers: languageLayers,
  },
} satisfies Record<string, NetworkModel>;
const models: Readonly<Record<string, NetworkModel>> = MODELS;

/** Flags that only some other network has. */
const ofOthers = (model: string): string[] =>
  Object.entries(models).flatMap(([name, { own }]) => (name === model ? [] : own));

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

/** The names of all presets, model by model, for help. */
export const presetNames = (): string =>
  Object.entries(models)
    .filter(([, { presets }]) => Object.keys(presets).length > 0)
    .map(([name, { presets }]) => `of ${name} ${Object.keys(presets).join(', ')}`)
    .join('; ');

/** A preset of a network. @throws UsageError for one that it has not */
export function presetOf(name: string, model: TrainConfig['model']): Partial<TrainConfig> {
  const { presets = {} } = modelOf({ model }) ?? {};
  if (Object.hasOwn(presets, name)) return presets[name];
  const others = Object.keys(models).filter((other) => Object.hasOwn(models[other].presets, name));
  if (others.length > 0)
    throw new UsageError(`The preset "${name}" goes with --model ${others.join(' or ')}, and the network is ${model}.`);
  const known = [...new Set(Object.values(models).flatMap((one) => Object.keys(one.presets)))];
  throw new UsageError(`There is no preset "${name}". ${suggest(name, known)}`);
}

/** The network that --model names; undefined for others. */
export const modelOf = ({ model }: Pick<TrainConfig, 'model'>): NetworkModel | undefined =>
  Object.hasOwn(models, model) ? models[model] : undefined;

/** What the flags say of gates. */
const gatesOf = (config: TrainConfig): GateOptions => ({
  neuron: config.neuron,
  gater: config.gater,
  rate: config.rate,
  start: config.start,
  ...(config.steer === false && { steer: false }),
  nudge: config.nudge,
  ...(config.compute !== undefined && { compute: config.compute }),
  ...(config.probe !== undefined && { probe: config.probe }),
  balance: config.balance,
  ...(config.sparsity !== undefined && { sparsity: config.sparsity as SparsitySpec }),
});

function gatedLayers(config: TrainConfig, { outputs }: NetworkSizes): LayerSpec[] {
  const gates: GatedSpec = {
    layer: 'gated',
    name: 'gated',
    units: config.units,
    blocks: config.blocks || config.units,
    activation: config.activation,
    ...gatesOf(config),
  };
  return [gates, outputLayer(config, outputs)];
}

/** A transformer of bytes: x + attention, then x + what the experts that a byte opens make of it, `depth` times. */
function languageLayers(config: TrainConfig, { outputs }: NetworkSizes): LayerSpec[] {
  const { width, depth, heads, experts: count } = { ...LM_PRESETS.small, ...config };
  const hidden = { experts: count, hidden: config.units, activation: config.activation };
  const block = (): LayerSpec[] => [
    residual(sequential(norm(), attention(heads))),
    residual(sequential(norm(), experts(width, { ...hidden, ...gatesOf(config) }))),
  ];
  return [
    embedding(outputs, width),
    ...Array.from({ length: depth }, block).flat(),
    norm(),
    outputLayer(config, outputs),
  ];
}

const outputLayer = ({ outputMaxNorm: maxNorm }: Pick<TrainConfig, 'outputMaxNorm'>, units: number): DenseSpec => ({
  layer: 'dense',
  units,
  name: 'output',
  ...(maxNorm !== undefined && { maxNorm }),
});

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

/** Options that say something about gates. */
export const GATE_FLAGS = [
  'blocks',
  'gater',
  'activation',
  'rate',
  'sparsity',
  'start',
  'steer',
  'nudge',
  'balance',
  'compute',
  'probe',
  'gaterLr',
];

/** Settings of the optimizer from the flags. @throws UsageError for momentum with an optimizer that has none */
export function optimizerSettings(config: TrainConfig): Record<string, number> {
  if (config.optimizer !== 'sgd' && config.momentum !== 0)
    throw new UsageError(`--momentum ${config.momentum} goes with --optimizer sgd; "${config.optimizer}" has none.`);
  return {
    ...(config.lr !== undefined && { learningRate: config.lr }),
    ...(config.momentum !== 0 && { momentum: config.momentum }),
  };
}

/** The estimators that the flags ask to probe. @throws RangeError for an unknown neuron */
export function estimatorProbeOf(
  { probeEstimators, probeEstimatorsEvery }: TrainConfig,
  own: readonly NeuronDefinition[] = [],
): { neurons: string[]; every?: number } | undefined {
  for (const text of probeEstimators ?? []) resolveNeuron(text, undefined, own);
  return (
    probeEstimators && {
      neurons: probeEstimators,
      ...(probeEstimatorsEvery !== undefined && { every: probeEstimatorsEvery }),
    }
  );
}
