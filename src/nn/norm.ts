import { layerNorm } from '../tensor/ops/layer-norm.ts';
import type { LayerText } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** Layer normalisation over the last axis, with a gain and a bias that are learnt. Source: Ba, Kiros, Hinton 2016. */
export interface NormSpec extends LayerDescription {
  readonly layer: 'norm';
}

/** Shorthand for a `NormSpec`. */
export const norm = (name?: string): NormSpec => ({ layer: 'norm', ...(name && { name }) });

export const normText: LayerText<NormSpec> = {};

/** Shape [..., n] → [..., n]. */
export const applyNorm: LayerKind<NormSpec> = (scope, _spec, { dense: x }) => {
  const shape = x.shape.slice(-1);
  const axes = ['units'] as const;
  const gain = scope.parameter('gain', shape, { initialize: 1, axes });
  return layerNorm(x, gain, scope.parameter('bias', shape, { axes }));
};
