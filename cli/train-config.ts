import {
  type DenseSpec,
  type GatedSpec,
  type LayerSpec,
  type NeuronDefinition,
  resolveNeuron,
  type SparsitySpec,
} from '../src/index.ts';
import { UsageError } from './exit.ts';

/** What `train` can be told about the network and the training; every field has a default in `DEFAULTS`. */
export interface TrainConfig {
  model: 'gated' | 'dense' | 'vae' | 'layers' | 'net';
  /** Of the model `layers`: their text. */
  layers?: string;
  /** Of the model `net`: the file, with the export after #. */
  net?: string;
  neuron: string;
  units: number;
  /** Blocks of a gated layer; 0: one a unit. */
  blocks: number;
  gater: number[];
  activation: string;
  rate: number | 'none';
  sparsity?: string;
  start: 'rate' | 'zero';
  nudge: boolean;
  compute?: 'auto' | 'dense' | 'blocks';
  probe?: number;
  balance: boolean;
  epochs: number;
  batch: number;
  optimizer: string;
  /** Default: the optimizer's own. */
  lr?: number;
  gaterLr?: number;
  momentum: number;
  maxNorm?: number;
  decay: number;
  patience?: number;
  /** Neurons to measure beside the one that trains. */
  basket?: string[];
  basketEvery?: number;
}

/** The main job: a gated network on the embedded digits. */
export const DEFAULTS: TrainConfig = {
  model: 'gated',
  neuron: 'straight-through',
  units: 512,
  blocks: 32,
  gater: [64],
  activation: 'rectifier',
  rate: 0.125,
  start: 'rate',
  nudge: false,
  balance: false,
  epochs: 20,
  batch: 100,
  optimizer: 'adam',
  momentum: 0,
  decay: 1,
};

/** Named deltas over the defaults. */
export const PRESETS: Readonly<Record<string, Partial<TrainConfig>>> = {
  'bengio-2013': {
    units: 2000,
    blocks: 2000,
    gater: [400],
    activation: 'linear',
    rate: 0.1,
    start: 'zero',
    batch: 32,
    optimizer: 'sgd',
    lr: 0.1,
    maxNorm: 2,
  },
};

/** The layers of a configuration, for data with so many classes. */
export function layersOf(config: TrainConfig, classes: number): LayerSpec[] {
  const output: DenseSpec = { layer: 'dense', units: classes, name: 'output' };
  if (config.model === 'dense')
    return [{ layer: 'dense', units: config.units, neuron: config.neuron, name: 'hidden' }, output];
  const gates: GatedSpec = {
    layer: 'gated',
    name: 'gated',
    units: config.units,
    blocks: config.blocks || config.units,
    neuron: config.neuron,
    gater: config.gater,
    activation: config.activation,
    rate: config.rate,
    start: config.start,
    nudge: config.nudge,
    ...(config.compute !== undefined && { compute: config.compute }),
    ...(config.probe !== undefined && { probe: config.probe }),
    balance: config.balance,
    ...(config.sparsity !== undefined && { sparsity: config.sparsity as SparsitySpec }),
  };
  return [gates, output];
}

/** Options that say what the network is. */
const NETWORK_FLAGS = ['model', 'vae', 'neuron', 'units'];

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
  if (model !== 'layers' && model !== 'net') return { ...config };
  const idle = [...NETWORK_FLAGS, ...GATE_FLAGS].filter(
    (name) => !['model', 'gaterLr', ...(model === 'net' ? ['neuron'] : [])].includes(name),
  );
  return Object.fromEntries(Object.entries(config).filter(([name]) => !idle.includes(name)));
}

/** Options that say something about gates. */
export const GATE_FLAGS = [
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
];

/** As it is written on the command line. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Settings of the optimizer from the flags. @throws UsageError for momentum with an optimizer that has none */
export function optimizerSettings(config: TrainConfig): Record<string, number> {
  if (config.optimizer !== 'sgd' && config.momentum !== 0)
    throw new UsageError(`--momentum ${config.momentum} goes with --optimizer sgd; "${config.optimizer}" has none.`);
  return {
    ...(config.lr !== undefined && { learningRate: config.lr }),
    ...(config.momentum !== 0 && { momentum: config.momentum }),
  };
}

/** The basket that the flags ask for. @throws RangeError for an unknown neuron */
export function basketOf(
  { basket, basketEvery }: TrainConfig,
  own: readonly NeuronDefinition[] = [],
): { neurons: string[]; every?: number } | undefined {
  for (const text of basket ?? []) resolveNeuron(text, undefined, own);
  return basket && { neurons: basket, ...(basketEvery !== undefined && { every: basketEvery }) };
}
