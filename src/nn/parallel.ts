import { checkNames, checkOneOf, type NamesOf } from '../schema/names.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import { concatenate } from '../tensor/ops/joining.ts';
import { JOINS, type Join } from '../tensor/ops/parts.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkNamesApart } from './check.ts';
import type { LayerSpec } from './layer-kinds.ts';
import { type LayerText, oneOfOption } from './layer-text.ts';
import {
  described,
  isModule,
  type LayerDescription,
  type LayerKind,
  layerNames,
  type Module,
  module,
} from './module.ts';
import type { Scope } from './scope.ts';

/** Options of `parallel`. */
export interface ParallelOptions {
  /** Their values are added (default), or stand one after another along the last axis. */
  readonly join?: Join;
  /** What it is called in a model; default: `parallel` and its number. */
  readonly name?: string;
}

/** Modules beside each other on one input: Σ_k part_k(x), or all one after another. */
export interface ParallelSpec extends LayerDescription, ParallelOptions {
  readonly layer: 'parallel';
  readonly parts: readonly LayerSpec[];
}

/**
 * Modules beside each other, as one. Of shipped ones it is plain JSON.
 * @throws RangeError for no module
 */
export function parallel(parts: readonly LayerSpec[], options?: ParallelOptions): ParallelSpec;
export function parallel(parts: readonly (Module | LayerSpec)[], options?: ParallelOptions): Module | ParallelSpec;
export function parallel(parts: readonly (Module | LayerSpec)[], options: ParallelOptions = {}): Module | ParallelSpec {
  checkNames('parallel', options, { ...layerNames, ...parallelNames });
  if (parts.length === 0) throw new RangeError('parallel: there are no modules. Expected one or more.');
  if (parts.some(isModule))
    return module(options.name ?? 'parallel', (scope, x) => side(scope, parts, options.join, x));
  return { layer: 'parallel', parts: parts as readonly LayerSpec[], ...options };
}

export const parallelNames: NamesOf<Omit<ParallelOptions, 'name'>> = { join: true };

export const parallelText: LayerText<ParallelSpec> = {
  words: [oneOfOption('join', JOINS)],
  inside: { read: (parts) => ({ parts }), write: ({ parts }) => parts },
};

/** Shape [...] → that of a part, or with the last extents of all added. @throws RangeError for parts of shapes that do not fit */
export const applyParallel: LayerKind<ParallelSpec> = (scope, { parts, join }, x) => {
  if (join !== undefined) checkOneOf('join', join, JOINS, scope.name);
  return side(scope, parts, join, x);
};

function side(scope: Scope, parts: readonly (Module | LayerSpec)[], join: Join = 'sum', x: Tensor): Tensor {
  scope.keep('checked', () => {
    checkNamesApart(scope.name, described(parts));
    return true;
  });
  const values = parts.map((part) => scope.call(part, x));
  if (join === 'concatenate') return concatenate(values, -1);
  return values.reduce((sum, one) => add(sum, one));
}
