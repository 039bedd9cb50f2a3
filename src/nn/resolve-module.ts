import { suggest } from '../math/text.ts';
import { type NeuronSpec, neuronDescription } from '../neurons/resolve.ts';
import { isObject } from '../schema/is-object.ts';
import { checkNames } from '../schema/names.ts';
import { told } from '../tensor/told.ts';
import { changeInside, type LayerSpec, layerKinds } from './layer-kinds.ts';
import { isModule, type LayerKind, type Module } from './module.ts';
import type { ResolvedModule } from './scope.ts';

/** The name of one of several modules that stand in order. */
export function layerName({ kind, name }: ResolvedModule, place: number): string {
  return name ?? `${kind}${place}`;
}

/** Fields of layers that ask for a neuron. */
const NEURON_FIELDS = ['neuron', 'activation'] as const;

/** A module as plain JSON. */
export function described(given: Module | LayerSpec): LayerSpec {
  if (isModule(given)) return { layer: 'own', name: given.name };
  const layer: Record<string, unknown> = { ...given };
  for (const field of NEURON_FIELDS)
    if (layer[field] !== undefined) layer[field] = neuronDescription(layer[field] as NeuronSpec);
  return changeInside(layer as unknown as LayerSpec, described);
}

/** @throws RangeError for a max-norm that is no limit */
function checkLimit(name: string, maxNorm: unknown): void {
  if (maxNorm === undefined || maxNorm === 'none' || (Number.isFinite(maxNorm) && (maxNorm as number) > 0)) return;
  throw new RangeError(`The layer "${name}": maxNorm is ${told(maxNorm)}. Expected a number over 0, or 'none'.`);
}

/** The module of a description. @throws RangeError for an unknown kind, and for what is neither */
export function resolve(given: Module | LayerSpec): ResolvedModule {
  if (!isObject(given))
    throw new RangeError(`A layer is ${told(given)}. Expected a module, or a layer such as dense(10, 'tanh').`);
  if (isModule(given)) return { kind: given.name, own: true, apply: given.apply };
  const { layer, name, maxNorm } = given;
  if (!Object.hasOwn(layerKinds, layer))
    throw new RangeError(`There is no layer "${layer}". ${suggest(String(layer), Object.keys(layerKinds))}`);
  checkNames(`The layer "${name ?? layer}"`, given, layerKinds[layer].names);
  const apply = layerKinds[layer].apply as LayerKind<LayerSpec>;
  checkLimit(name ?? layer, maxNorm);
  return {
    kind: layer,
    ...(name && { name }),
    ...(maxNorm !== undefined && { maxNorm }),
    apply: (scope, ...inputs) => apply(scope, given, ...inputs),
  };
}
