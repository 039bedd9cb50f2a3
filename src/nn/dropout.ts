import { dropout as dropped } from '../tensor/ops/dropout.ts';
import { type LayerText, percent } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** While training, sets each number to 0 with probability `drop` and divides the others by 1 − drop. Source: Hinton and others 2012. */
export interface DropoutSpec extends LayerDescription {
  readonly layer: 'dropout';
  /** Probability of 0; default 0.1. */
  readonly drop?: number;
}

/** Shorthand for a `DropoutSpec`. */
export const dropout = (drop = 0.1, name?: string): DropoutSpec => ({ layer: 'dropout', drop, ...(name && { name }) });

export const dropoutText: LayerText<DropoutSpec> = { words: [percent('drop', 0.1)] };

/** Shape [...] → [...]: x itself, but while training. @throws RangeError unless 0 ≤ drop < 1 */
export const applyDropout: LayerKind<DropoutSpec> = (scope, { drop = 0.1 }, x) => {
  const { pass } = scope;
  scope.keep('checked', () => {
    if (drop >= 0 && drop < 1) return true;
    throw new RangeError(`${scope.name}: \`drop\` is ${drop}. Expected a probability from 0 up to, not including, 1.`);
  });
  const layer = scope.streamOfUse();
  if (pass.mode !== 'train' || drop === 0) return x;
  return dropped(x, { drop, source: { ...pass.source, layer } });
};
