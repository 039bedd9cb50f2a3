import type { NdArray } from '../backend/nd-array.ts';

/** What the rows and columns of a parameter stand for: the layer's inputs, its units, its gates, or units inside a gater. */
export type Axis = 'inputs' | 'units' | 'gates' | 'hidden';

/** A trainable array. */
export interface Parameter {
  /** Unique within the model, e.g. `hidden.weights`. */
  readonly name: string;
  readonly tensor: NdArray;
  /** Gater parameters may have a learning rate of their own. */
  readonly group: 'main' | 'gater';
  /** Weight matrices (inputs × units) are subject to max-norm; biases are not. */
  readonly kind: 'weights' | 'bias';
  /** Of weights [rows, columns], of a bias [columns]. */
  readonly axes: readonly Axis[];
  /** Learning rate as a multiple of its group's. */
  readonly learningRateScale: number;
  /** Weights stored block by block (blocks × inputs × units of a block); absent where they are inputs × units. */
  readonly blocks?: { readonly count: number; readonly inputs: number; readonly size: number };
}
