import type { LayerSpec, Module } from '../src/index.ts';
import { isObject } from '../src/schema/is-object.ts';
import { told } from '../src/tensor/told.ts';
import { UsageError } from './exit.ts';

/** The argument of a function that makes a network. */
export interface NetworkFacts {
  /** Numbers in a row of the data. */
  readonly inputs: number;
  /** Numbers that it is to give: of classification one a class. */
  readonly outputs: number;
  /** The same. */
  readonly classes: number;
  /** The neuron of --neuron, for networks that leave it open. */
  readonly neuron: string;
}

/** A network that a file exports. */
export interface NetworkOfFile {
  readonly export: string;
  /** Its layers for data of that width. @throws UsageError when the function gives none */
  layers(facts: NetworkFacts): readonly (Module | LayerSpec)[];
}

type Layers = readonly (Module | LayerSpec)[];

const EXPECTED = 'Expected a module, layers, or a function of ({ inputs, classes, neuron }) that gives these';

/** Names of the networks among a file's exports. */
export const networksAmong = (exported: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(exported).filter((name) => layersIn(exported[name]) || isMaker(exported[name]));

/**
 * The network among a file's exports: the one that is named, or the default, or the only one.
 * @throws UsageError when there is none, or several
 */
export function networkAmong(
  exported: Readonly<Record<string, unknown>>,
  { file, export: named }: { readonly file: string; readonly export?: string },
): NetworkOfFile {
  const candidates = networksAmong(exported);
  const known = candidates.length > 0 ? ` Networks there: ${candidates.join(', ')}.` : '';
  const name =
    named ?? (Object.hasOwn(exported, 'default') ? 'default' : candidates.length === 1 ? candidates[0] : undefined);
  if (name === undefined)
    throw new UsageError(
      candidates.length === 0
        ? `${file} exports no network. ${EXPECTED}, as default or by name.`
        : `${file} exports several networks. Expected one of them after #, as ${file}#${candidates[0]}.${known}`,
    );
  if (!Object.hasOwn(exported, name)) throw new UsageError(`${file} has no export "${name}".${known}`);
  const value = exported[name];
  const where = `The export "${name}" of ${file}`;
  const fixed = layersIn(value);
  if (fixed) return { export: name, layers: () => fixed };
  if (!isMaker(value)) throw new UsageError(`${where} is ${shown(value)}. ${EXPECTED}.`);
  return {
    export: name,
    layers(facts) {
      const made = value(facts);
      const layers = layersIn(made);
      if (!layers) throw new UsageError(`${where} gave ${shown(made)}. ${EXPECTED}.`);
      return layers;
    },
  };
}

const isLayer = (value: unknown): value is Module | LayerSpec =>
  isObject(value) &&
  ((typeof value.apply === 'function' && typeof value.name === 'string') || typeof value.layer === 'string');

function layersIn(value: unknown): Layers | undefined {
  if (isLayer(value)) return [value];
  return Array.isArray(value) && value.length > 0 && value.every(isLayer) ? value : undefined;
}

const isClass = (value: unknown): boolean =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));

/** A function of facts; one of (scope, x) is what `module` takes. */
const isMaker = (value: unknown): value is (facts: NetworkFacts) => unknown =>
  typeof value === 'function' && value.length <= 1 && !isClass(value);

function shown(value: unknown): string {
  if (isClass(value)) return 'a class';
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'function')
    return `a function of ${value.length} values, as \`module('name', (scope, x) => …)\` takes one`;
  if (!Array.isArray(value)) return told(value);
  return value.length === 0 ? 'an empty list' : 'a list with something else than layers';
}
