import {
  changeInside,
  type DenseSpec,
  hasGates,
  type LayerSpec,
  layersInside,
  layersText,
  type Module,
  type NeuronDefinition,
  parseLayers,
  resolveNeuron,
} from '../src/index.ts';
import { UsageError } from './exit.ts';
import { modelOf, type NetworkSizes } from './named-models.ts';
import type { OwnCodeOf } from './own-code.ts';
import type { TrainConfig } from './train-config.ts';

/** The network that was asked for. */
export interface Network {
  readonly layers: readonly (Module | LayerSpec)[];
  readonly neurons: readonly NeuronDefinition[];
  /** The layer to the classes, where the network as it was asked for had none. */
  readonly added?: LayerSpec;
}

/** The layers of a text. @throws UsageError that names the place in it */
export function layersOfText(text: string, neurons: readonly NeuronDefinition[]): LayerSpec[] {
  try {
    return parseLayers(text, { neurons });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--layers: ${error.message}`);
    throw error;
  }
}

/** The network of a configuration: of --model, of --layers, of --net, or else the task's `usual` one. */
export function networkOf(
  config: TrainConfig,
  { neurons, network }: OwnCodeOf,
  { inputs, outputs, usual = [] }: NetworkSizes & { readonly usual?: readonly LayerSpec[] },
): Network {
  const named = modelOf(config);
  if (named) return { layers: named.layers(config, { inputs, outputs }), neurons };
  const { neuron } = config;
  const layers =
    network?.layers({ inputs, outputs, classes: outputs, neuron }) ??
    (config.layers === undefined ? usual : layersOfText(config.layers, neurons));
  return { ...withOutput(layers, outputs, neurons), neurons };
}

/**
 * Layers that end in the layer to the classes: a dense one of linear units. A module of one's own at the end is taken as it is; it has to have
 * that width.
 */
export function withOutput(
  layers: readonly (Module | LayerSpec)[],
  classes: number,
  neurons: readonly NeuronDefinition[],
): { layers: readonly (Module | LayerSpec)[]; added?: LayerSpec } {
  const last = layers.at(-1);
  if (!last || !('layer' in last) || isOutput(last, classes, neurons)) return { layers };
  const added: DenseSpec = { layer: 'dense', units: classes, name: 'output' };
  return { layers: [...layers, added], added };
}

function isOutput(last: LayerSpec, classes: number, neurons: readonly NeuronDefinition[]): boolean {
  if (last.layer === 'sequential') return isOutput(last.modules[last.modules.length - 1], classes, neurons);
  return last.layer === 'dense' && last.units === classes && isLinear(last, neurons);
}

const isLinear = ({ neuron = 'linear' }: DenseSpec, neurons: readonly NeuronDefinition[]): boolean =>
  resolveNeuron(neuron, undefined, neurons).identity === true;

/** Layers for people: `784 → dense 64 tanh → … → 10`. */
export const chainText = (layers: readonly (Module | LayerSpec)[]): string =>
  layers.map((layer) => ('layer' in layer ? layersText([layer]) : layer.name)).join(' → ');

/** A network with the neuron at one place left open. */
export interface OpenNetwork {
  layersOf(neuron: string): readonly (Module | LayerSpec)[];
  readonly place: 'gates' | 'hidden units';
}

/**
 * The network of a configuration with the neuron left open: of gates the first, else of the first hidden units with a neuron; in a network of a
 * file where its function takes `neuron`.
 * @throws UsageError for a network without such a place
 */
export function openNetwork(config: TrainConfig, code: OwnCodeOf, facts: NetworkSizes): OpenNetwork {
  const named = modelOf(config);
  if (named)
    return {
      layersOf: (neuron) => named.layers({ ...config, neuron }, facts),
      place: named.layers(config, facts).some(hasGates) ? 'gates' : 'hidden units',
    };
  if (config.model === 'net') return openFile(config, code, facts);
  const { layers } = networkOf(config, code, facts);
  const described = layers as readonly LayerSpec[];
  const found =
    placeIn(described, hasGates) ??
    placeIn(described, (layer) => layer.layer === 'dense' && !isLinear(layer, code.neurons));
  if (!found)
    throw new UsageError(
      `--layers has no gates and no hidden units with a neuron. Expected some to choose a neuron for.`,
    );
  return {
    layersOf: (neuron) => described.map((layer) => replaced(layer, found, neuron)),
    place: hasGates(found) ? 'gates' : 'hidden units',
  };
}

function openFile(config: TrainConfig, code: OwnCodeOf, { inputs, outputs }: NetworkSizes): OpenNetwork {
  const { network } = code;
  if (!network) throw new UsageError(`The network is the file ${config.net}. Expected --net FILE with it.`);
  let read = false;
  const make = (neuron: string) =>
    network.layers({
      inputs,
      outputs,
      classes: outputs,
      get neuron() {
        read = true;
        return neuron;
      },
    });
  const layers = withOutput(make(config.neuron), outputs, code.neurons).layers;
  if (!read)
    throw new UsageError(
      `The network of ${config.net} does not ask for \`neuron\`. Expected a function of ({ neuron }), in which it is left open.`,
    );
  const gates = layers.some((layer) => 'layer' in layer && placeIn([layer], hasGates) !== undefined);
  return {
    layersOf: (neuron) => withOutput(make(neuron), outputs, code.neurons).layers,
    place: gates ? 'gates' : 'hidden units',
  };
}

function placeIn(layers: readonly LayerSpec[], is: (layer: LayerSpec) => boolean): LayerSpec | undefined {
  for (const layer of layers) {
    const found = is(layer) ? layer : placeIn(layersInside(layer), is);
    if (found) return found;
  }
  return undefined;
}

function replaced(layer: LayerSpec, place: LayerSpec, neuron: string): LayerSpec {
  if (layer === place) return { ...layer, neuron } as LayerSpec;
  return changeInside(layer, (one) => replaced(one, place, neuron));
}
