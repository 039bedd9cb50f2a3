import { reshape as reshaped } from '../tensor/ops/reshaping.ts';
import { extents, type LayerText, type TextWord } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** The numbers of a row in another shape: of pictures [height, width, channels]. */
export interface ReshapeSpec extends LayerDescription {
  readonly layer: 'reshape';
  readonly shape: readonly number[];
}

/** Shorthand for a `ReshapeSpec`. */
export const reshape = (shape: readonly number[], name?: string): ReshapeSpec => ({
  layer: 'reshape',
  shape,
  ...(name && { name }),
});

const shape: TextWord<ReshapeSpec> = {
  form: 'EXTENTxEXTENT…',
  required: true,
  takes: (word) => /^\d/.test(word),
  read: (word) => ({ shape: extents().read(word) }),
  write: (spec) => spec.shape.join('x'),
};

export const reshapeText: LayerText<ReshapeSpec> = { words: [shape] };

/** Shape [...] → `shape`. @throws RangeError if the number of elements differs */
export const applyReshape: LayerKind<ReshapeSpec> = (_scope, spec, { dense: x }) => reshaped(x, spec.shape);
