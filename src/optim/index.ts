/** Optimizers. Adding one: one file beside this one, and one line here. */
import { suggest } from '../math/text.ts';
import { adam } from './adam.ts';
import type { Optimizer } from './optimizer.ts';
import { sgd } from './sgd.ts';

export { type AdamOptions, adam } from './adam.ts';
export { maxNorm } from './max-norm.ts';
export type { Optimizer, UpdateContext } from './optimizer.ts';
export { type SgdOptions, sgd } from './sgd.ts';

export const optimizers = { sgd, adam };
export type OptimizerName = keyof typeof optimizers;

/**
 * An optimizer by name, with its settings.
 * @throws RangeError for an unknown name or setting
 */
export function resolveOptimizer(
  spec: OptimizerName | (string & {}) | Optimizer,
  settings: Readonly<Record<string, number>> = {},
): Optimizer {
  if (typeof spec !== 'string') return spec;
  const make = (optimizers as Record<string, (settings: Record<string, number>) => Optimizer>)[spec];
  if (!make || !Object.hasOwn(optimizers, spec))
    throw new RangeError(`There is no optimizer "${spec}". ${suggest(spec, Object.keys(optimizers))}`);
  return make(settings);
}
