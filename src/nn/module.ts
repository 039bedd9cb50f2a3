import { isObject } from '../schema/is-object.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NormLimit } from './parameter.ts';
import type { Scope } from './scope.ts';

/**
 * A function of tensors with parameters: `scope` gives parameters by name, places where neurons fire, the mode of the pass and the
 * modules within. What it keeps belongs to the model that it is used in; a module itself is a value that any number of models may
 * share.
 */
export interface Module<I extends readonly Tensor[] = readonly Tensor[]> {
  /** Default name in a model, followed by a number. */
  readonly name: string;
  /** One pass. @param scope parameters, sites and modules within @param inputs one tensor or more @returns the output */
  apply(scope: Scope, ...inputs: I): Tensor;
}

/**
 * Declares a module: `const block = module('block', (scope, x) => add(x, scope.call(dense(64, 'tanh'), x)))`.
 * The function has to ask for the same parameters in every pass.
 */
export function module<I extends readonly Tensor[]>(
  name: string,
  apply: (scope: Scope, ...inputs: I) => Tensor,
): Module<I> {
  return { name, apply };
}

/** A shipped module as plain JSON, so that runs and model files are read without code; `layer` says which. */
export interface LayerDescription {
  readonly layer: string;
  /** Default: the layer's kind and its number. */
  readonly name?: string;
  /** Max-norm of the layer's weights and of those of layers inside: `none` exempts them. Default: that of the layer around it, at last that of training. */
  readonly maxNorm?: NormLimit;
}

/** How a kind of shipped module computes what its description says. */
export type LayerKind<S extends LayerDescription> = (scope: Scope, spec: S, ...inputs: readonly Tensor[]) => Tensor;

/** Options of any layer. */
export const layerNames = { name: true, maxNorm: true } as const;

/** Is it a module of the user's own, no description of a shipped one? */
export const isModule = (value: unknown): value is Module => isObject(value) && 'apply' in value;

/** The shipped ones among modules: a module of one's own is named by how often it is used. */
export const described = <S extends object>(modules: readonly (Module | S)[]): S[] =>
  modules.flatMap((one) => (isModule(one) ? [] : [one as S]));
