import { checkOneOf } from '../schema/names.ts';
import { attention as attend, rotary } from '../tensor/ops/attention.ts';
import { affine } from './affine.ts';
import { checkUnits } from './check.ts';
import { flag, type LayerText, oneOfOption, type TextWord, whole } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/**
 * Self-attention among the points of sequences, with the products before and after it: y = attention(x·W + b)·V + c. A point sees itself and those
 * before it. Source: Vaswani and others 2017; rotary positions: Su and others 2021.
 */
export interface AttentionSpec extends LayerDescription {
  readonly layer: 'attention';
  /** They share the width of the input. */
  readonly heads: number;
  /** How points know their places: default `rotary`; `none` where positions are added below (`positions`). */
  readonly positions?: 'rotary' | 'none';
  /** Does a point see those after it too? Default false. */
  readonly bidirectional?: boolean;
}

const POSITIONS = ['rotary', 'none'] as const;

/** Shorthand for an `AttentionSpec`. */
export const attention = (heads: number, options: Omit<AttentionSpec, 'layer' | 'heads'> = {}): AttentionSpec => ({
  layer: 'attention',
  heads,
  ...options,
});

const heads: TextWord<AttentionSpec> = {
  form: 'HEADS',
  required: true,
  takes: (word) => /^\d/.test(word),
  read: (word) => ({ heads: whole(word, 'heads') }),
  write: (spec) => String(spec.heads),
};

export const attentionText: LayerText<AttentionSpec> = {
  words: [heads, oneOfOption('positions', POSITIONS), flag('bidirectional')],
};

/** Shape [width] → [width]. @throws RangeError for heads that do not divide the width, or rows that are no points of sequences */
export const applyAttention: LayerKind<AttentionSpec> = (scope, spec, x) => {
  const { heads: count, positions = 'rotary', bidirectional = false } = spec;
  const width = x.columns;
  scope.keep('checked', () => {
    checkUnits(scope.name, count, 'heads');
    checkOneOf('positions', positions, POSITIONS, scope.name);
    if (width % count === 0 && (positions === 'none' || (width / count) % 2 === 0)) return true;
    throw new RangeError(
      `${scope.name}: ${count} heads cannot share ${width} numbers${width % count === 0 ? ' in pairs, which rotary positions turn' : ''}. Expected a multiple of ${count * (positions === 'none' ? 1 : 2)}.`,
    );
  });
  const inputs = affine(scope, x, { units: 3 * width, stream: scope.stream, name: 'inputs' });
  const placed = positions === 'rotary' ? rotary(inputs, { heads: count }) : inputs;
  const attended = attend(placed, { heads: count, causal: !bidirectional });
  return affine(scope, attended, { units: width, stream: scope.stream + 1, name: 'output' });
};
