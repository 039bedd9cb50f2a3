import {
  attention,
  type DenseSpec,
  embedding,
  experts,
  type GatedSpec,
  type GateOptions,
  type LayerSpec,
  norm,
  residual,
  type SparsitySpec,
  sequential,
  vaeLayers,
} from '../src/index.ts';
import { suggest } from '../src/math/text.ts';
import { UsageError } from './exit.ts';
import type { TrainConfig } from './train-config.ts';

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

/** What --model names: the networks that flags describe, by name. */
export const models: Readonly<Record<string, NetworkModel>> = {
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
};

/** Flags that only some other network has. */
export const ofOthers = (model: string): string[] =>
  Object.entries(models).flatMap(([name, { own }]) => (name === model ? [] : own));

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
