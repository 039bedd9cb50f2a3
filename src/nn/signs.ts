import { add, scale } from '../tensor/ops/arithmetic.ts';
import type { LayerText } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** Signs in the place of bits: 2h − 1. */
export interface SignsSpec extends LayerDescription {
  readonly layer: 'signs';
}

/** Shorthand for a `SignsSpec`. */
export const signs = (name?: string): SignsSpec => ({ layer: 'signs', ...(name && { name }) });

export const signsText: LayerText<SignsSpec> = {};

/** Shape [n] → [n]. */
export const applySigns: LayerKind<SignsSpec> = (_scope, _spec, h) =>
  add(scale(h, { factor: 2 }), new Float32Array(h.columns).fill(-1));
