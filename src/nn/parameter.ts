import type { NdArray } from '../backend/nd-array.ts';

/** What the rows and columns of a parameter stand for: the layer's inputs, its units, its gates, or units inside a gater. */
export type Axis = 'inputs' | 'units' | 'gates' | 'hidden';

/** Largest Euclidean norm of a unit's incoming weights, over 0; `none`: no limit. */
export type NormLimit = number | 'none';

/** A trainable array. */
export interface Parameter {
  /** Unique within the model, e.g. `hidden.weights`. */
  readonly name: string;
  readonly tensor: NdArray;
  /** Gater parameters may have a learning rate of their own. */
  readonly group: 'main' | 'gater';
  /** Only weights (inputs × units) are subject to max-norm. */
  readonly kind: 'weights' | 'bias';
  /** Of weights [rows, columns], of a bias [columns]. */
  readonly axes: readonly Axis[];
  /** Of weights: the largest Euclidean norm of a unit's incoming ones, `none` for no limit; absent: what training says. */
  readonly maxNorm?: NormLimit;
  /** Learning rate as a multiple of its group's. */
  readonly learningRateScale: number;
  /** Weights stored block by block (blocks × inputs × units of a block); absent where they are inputs × units. */
  readonly blocks?: { readonly count: number; readonly inputs: number; readonly size: number };
}
