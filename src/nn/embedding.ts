import { gather, wholeNumbersIn } from '../tensor/ops/gathering.ts';
import { reshape } from '../tensor/ops/reshaping.ts';
import { checkUnits } from './check.ts';
import { type LayerText, units as unitsWord, whole } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** Rows of a learnt table by number: for tokens and categories. Source: Bengio, Ducharme, Vincent, Jauvin 2003. */
export interface EmbeddingSpec extends LayerDescription {
  readonly layer: 'embedding';
  /** Rows of the table: inputs are whole numbers below it. */
  readonly classes: number;
  /** Numbers of a row. */
  readonly units: number;
}

/** Shorthand for an `EmbeddingSpec`. */
export const embedding = (classes: number, units: number, name?: string): EmbeddingSpec => ({
  layer: 'embedding',
  classes,
  units,
  ...(name && { name }),
});

export const embeddingText: LayerText<EmbeddingSpec> = {
  words: [
    {
      form: 'CLASSES',
      required: true,
      takes: (word) => /^\d/.test(word),
      read: (word) => ({ classes: whole(word, 'classes') }),
      write: ({ classes }) => String(classes),
    },
    unitsWord(),
  ],
};

/**
 * Shape [n], whole numbers, → [n·units]: the rows of all n beside each other. No gradient goes to the input.
 * @throws RangeError for sizes that are not whole numbers ≥ 1, or an input that is no row of the table
 */
export const applyEmbedding: LayerKind<EmbeddingSpec> = (scope, { classes, units }, x) => {
  scope.keep('checked', () => {
    checkUnits(scope.name, classes, 'classes');
    checkUnits(scope.name, units);
    return true;
  });
  const { array } = x.dense;
  const wrong = array.values.findIndex((value) => !Number.isInteger(value));
  if (wrong >= 0)
    throw new RangeError(
      `${scope.name}: number ${wrong % x.columns} of row ${Math.floor(wrong / x.columns)} is ${array.values[wrong]}. Expected a whole number from 0 to ${classes - 1}: data whose features are not scaled.`,
    );
  const table = scope.parameter('table', [classes, units], { axes: ['inputs', 'units'], stream: scope.stream });
  return reshape(gather(table, wholeNumbersIn(x)), [x.columns * units]);
};
