import type { Engine } from '../backend/engine.ts';
import type { NeuronDefinition } from '../neurons/contract.ts';
import type { LayerSpec } from './layer-kinds.ts';
import type { Module } from './module.ts';
import { resolve } from './resolve-module.ts';
import type { Registry, ResolvedModule } from './scope.ts';

/** Random streams reserved for each top-level module. Nested modules have numbers from NESTED on. */
export const STREAMS = 8;
/** The first stream of nested modules. */
export const NESTED = 8192;
/** Streams have numbers below this. */
const END = 65_536;

/**
 * The state of a new model, with nothing in it yet. The caller sets `building` to false after the first pass.
 * @param seed of the parameters' random starts
 * @param neurons of the user's own, known by name
 */
export function registryOf(
  engine: Engine,
  seed: number,
  neurons: readonly NeuronDefinition[],
): Registry & { building: boolean } {
  let streams = NESTED;
  const resolved = new WeakMap<Module | LayerSpec, ResolvedModule>();
  return {
    engine,
    seed,
    neurons,
    building: true,
    parameters: new Map(),
    sites: new Map(),
    memory: new Map(),
    kept: new Map(),
    afterStep: [],
    nextStream() {
      const first = streams;
      if (first + STREAMS > END)
        throw new RangeError(
          `The model has more than ${(END - NESTED) / STREAMS} modules within modules, or uses of them. Expected at most so many: each has random streams of its own.`,
        );
      streams += STREAMS;
      return first;
    },
    // Layers are asked for in every pass.
    resolve(given) {
      let found = resolved.get(given);
      if (!found) resolved.set(given, (found = resolve(given)));
      return found;
    },
  };
}
