import type { Tensor } from '../tensor/tensor.ts';
import { checkNamesApart } from './check.ts';
import type { LayerSpec } from './layer-kinds.ts';
import type { LayerText } from './layer-text.ts';
import { described, isModule, type LayerDescription, type LayerKind, type Module, module } from './module.ts';
import type { Scope } from './scope.ts';

/** Modules one after another. */
export interface SequentialSpec extends LayerDescription {
  readonly layer: 'sequential';
  readonly modules: readonly LayerSpec[];
}

/**
 * Modules one after another, as one. Of shipped ones it is plain JSON.
 * @throws RangeError for no module
 */
export function sequential(...modules: readonly LayerSpec[]): SequentialSpec;
export function sequential(...modules: readonly (Module | LayerSpec)[]): Module | SequentialSpec;
export function sequential(...modules: readonly (Module | LayerSpec)[]): Module | SequentialSpec {
  if (modules.length === 0) throw new RangeError('sequential: there are no modules. Expected one or more.');
  if (modules.some(isModule)) return module('sequential', (scope, x) => oneByOne(scope, modules, x));
  return { layer: 'sequential', modules: modules as readonly LayerSpec[] };
}

export const sequentialText: LayerText<SequentialSpec> = {
  inside: { read: (modules) => ({ modules }), write: ({ modules }) => modules },
};

export const applySequential: LayerKind<SequentialSpec> = (scope, { modules }, x) => oneByOne(scope, modules, x);

function oneByOne(scope: Scope, modules: readonly (Module | LayerSpec)[], x: Tensor): Tensor {
  scope.keep('checked', () => {
    checkNamesApart(scope.name, described(modules));
    return true;
  });
  return modules.reduce((h: Tensor, next) => scope.call(next, h), x);
}
