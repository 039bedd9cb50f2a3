import type { LayerDescription, LayerKind } from './module.ts';

/** The place of a module of one's own in the description of a model: a function, which no description holds. */
export interface OwnSpec extends LayerDescription {
  readonly layer: 'own';
}

/** @throws RangeError always: the caller must substitute the function */
export const applyOwn: LayerKind<OwnSpec> = (scope) => {
  throw new RangeError(
    `"${scope.name}" is a module of your own: a function, which files of weights and settings do not hold. Expected the file that exports the network: --net FILE.`,
  );
};
