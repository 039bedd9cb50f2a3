import type { NeuronDefinition } from '../neurons/contract.ts';
import { instantiate, type NeuronSpec } from '../neurons/resolve.ts';
import type { LayerSpec, Model, ModelDescription } from '../nn/model.ts';

/** Fields of layers that ask for a neuron. */
const NEURON_FIELDS = ['neuron', 'activation'] as const;

/** A model's layers as plain JSON: neurons by name and options, every layer with its name. */
export function portableSpec({ description, seed, layers }: Model): ModelDescription {
  const named = description.layers.map((layer, i) => portableLayer(layer, layers[i].name));
  return { inputs: description.inputs, layers: named, seed };
}

function portableLayer(spec: LayerSpec, name: string): LayerSpec {
  const layer: Record<string, unknown> = { ...spec, name };
  for (const field of NEURON_FIELDS)
    if (layer[field] !== undefined) layer[field] = portableNeuron(layer[field] as NeuronSpec);
  return layer as unknown as LayerSpec;
}

function portableNeuron(spec: NeuronSpec): NeuronSpec {
  if (typeof spec === 'string') return spec;
  if ('fire' in spec) return { name: spec.name as string, ...(spec.options as Record<string, string | number>) };
  if ('rule' in spec) return { name: spec.name as string };
  return spec;
}

/** The same layers with neurons of one's own in place of their names. */
export function withNeurons(spec: ModelDescription, neurons: readonly NeuronDefinition[]): ModelDescription {
  if (neurons.length === 0) return spec;
  const own = new Map(neurons.map((neuron) => [neuron.name, neuron]));
  const layers = spec.layers.map((given) => {
    const layer: Record<string, unknown> = { ...given };
    for (const field of NEURON_FIELDS) {
      const asked = layer[field];
      const { name, ...options } =
        typeof asked === 'object' && asked !== null ? (asked as { name: string }) : { name: String(asked) };
      const definition = own.get(name);
      if (definition) layer[field] = instantiate(definition, options as Record<string, string | number>);
    }
    return layer as unknown as LayerSpec;
  });
  return { ...spec, layers };
}
