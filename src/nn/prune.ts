import { gatedBlocks, type LayerSpec, layerWithBlocks, readsByWeights } from './layer-kinds.ts';
import { createModel, type Model } from './model.ts';
import { isModule, type Module } from './module.ts';
import type { Axis } from './parameter.ts';

/** Which blocks of every gated layer stay, by the layer's place in the model; layers that are not named keep all. */
export type KeptBlocks = ReadonlyMap<number, readonly number[]>;

/**
 * A copy of a model on the same engine without some of its blocks: their experts, their gates, and what the layer above had for them.
 * For inference: the moving averages of learning rules start anew.
 * @throws RangeError when a layer would keep no block
 */
export function pruneBlocks(model: Model, kept: KeptBlocks): Model {
  const layers = model.spec.layers.map((spec, i) => prunedSpec(spec, kept.get(i), model.layers[i].name));
  const pruned = createModel(model.engine, { ...model.spec, layers });
  let inputs: readonly number[] | undefined;
  for (const i of model.layers.keys()) inputs = copyLayer(model, pruned, i, { inputs, gates: kept.get(i) });
  return pruned;
}

/** Can a layer do without some of its blocks? Its outputs are gated blocks, and the layer on it reads them through weights alone. */
export function losesBlocks({ spec: { layers } }: Model, place: number): boolean {
  const [layer, above] = [layers[place], layers[place + 1]];
  if (!layer || isModule(layer) || !above || isModule(above)) return false;
  return gatedBlocks(layer) !== undefined && readsByWeights(above);
}

/** What stays of a layer; undefined: all. */
interface Kept {
  /** Of what the layer below gives. */
  readonly inputs: readonly number[] | undefined;
  /** Of its own gates. */
  readonly gates: readonly number[] | undefined;
}

/** @returns which of its units stay; undefined: all */
function copyLayer(model: Model, pruned: Model, place: number, kept: Kept): readonly number[] | undefined {
  const [layer, to] = [model.layers[place], pruned.layers[place]];
  to.sites.forEach((site, s) => {
    const { threshold, selectionBias: bias } = layer.sites[s];
    site.threshold = threshold;
    if (bias) site.selectionBias?.set(kept.gates ? kept.gates.map((k) => bias[k]) : bias);
  });
  // Layers of any kind, where they and what they read stay whole.
  if (!kept.inputs && !kept.gates) {
    to.parameters.forEach(({ tensor }, p) => void tensor.values.set(layer.parameters[p].tensor.values));
    return undefined;
  }
  const spec = model.spec.layers[place];
  const blocks = (isModule(spec) ? undefined : gatedBlocks(spec)) ?? layer.outputs;
  const size = layer.outputs / blocks;
  const { inputs = range(layer.inputs), gates = range(blocks) } = kept;
  const units = gates.flatMap((k) => range(size).map((j) => k * size + j));
  for (const { name, axes, tensor } of layer.parameters) {
    const keep = (axis: Axis, extent: number) => ({ inputs, units, gates, hidden: range(extent) })[axis];
    const full = model.weights(name);
    const columns = axes.length === 1 ? tensor.size : tensor.size / rowsOfWeights(axes[0], layer.inputs, tensor.shape);
    const across = keep(axes[axes.length - 1], columns);
    const down = axes.length === 1 ? [0] : keep(axes[0], full.length / columns);
    pruned.setWeights(name, Float32Array.from(down.flatMap((r) => across.map((c) => full[r * columns + c]))));
  }
  return kept.gates && units;
}

/** Rows of weights: block-wise arrays have their inputs in the middle. */
const rowsOfWeights = (axis: Axis, inputs: number, shape: readonly number[]): number =>
  axis === 'inputs' ? inputs : shape[0];

function prunedSpec(spec: Module | LayerSpec, blocks: readonly number[] | undefined, name: string): Module | LayerSpec {
  if (isModule(spec)) return spec;
  if (!blocks) return { ...spec, name };
  if (blocks.length === 0) throw new RangeError(`${name}: no block would be left. Expected one to stay at least.`);
  return { ...layerWithBlocks(spec, blocks.length), name };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
