import type { Formula } from '../neurons/formula.ts';

/** A value of a portable program: an array of this shape for every row. */
export interface PortableValue {
  readonly shape: readonly number[];
}

/**
 * The primitives that exports are built from (`OpDefinition.lower`): each works on the values of one row, and every export has all of them. What does not depend on the model's input is a constant, and no operation needs to say so.
 */
export interface Portable {
  /**
   * A formula of the elements of its operands, whose shapes broadcast as in NumPy: `f.logit` is an element of the first, `f.operand(1)` of the
   * second.
   * @throws RangeError for shapes that do not fit
   */
  elementwise(formula: Formula, ...operands: readonly PortableValue[]): PortableValue;
  /** The sum, or the largest, over axes, of which extents of 1 are left. */
  reduce(reduction: 'sum' | 'max', x: PortableValue, axes: readonly number[]): PortableValue;
  /**
   * Matrix products of the last two axes: [..., m, k] or [k] by [..., k, n] → [..., m, n] or [n]; what is before them broadcasts.
   * @throws RangeError for shapes that do not fit
   */
  product(a: PortableValue, b: PortableValue): PortableValue;
  /** The same elements, row-major, in another shape. */
  reshape(x: PortableValue, shape: readonly number[]): PortableValue;
  /** A view of a row's elements, row-major, by strides and an offset: axes in another order, parts, repetitions (stride 0), sliding windows. */
  view(x: PortableValue, shape: readonly number[], strides: readonly number[], offset?: number): PortableValue;
  /** One after another along an axis. */
  concatenate(values: readonly PortableValue[], axis: number): PortableValue;
  /** 1 for the `count` largest along the last axis (of equal values the first), 0 for the others. */
  largest(x: PortableValue, count: number): PortableValue;
  /**
   * Gates [blocks] times values [blocks·size], block by block. Exports need not compute the values of blocks whose gate is 0, nor what reads
   * them.
   */
  gate(gates: PortableValue, values: PortableValue, size: number): PortableValue;
  /** Long short-term memory along the points of a sequence: see ops/sequences.ts. The recurrent weights are a constant. */
  lstm(x: PortableValue, recurrent: PortableValue, backwards: boolean): PortableValue;
  /**
   * Attention of the row's point to those of its sequence, or to those up to it: see ops/attention.ts. Shape [3·width] → [width].
   * @param heads that share the width
   */
  attention(x: PortableValue, heads: number, causal: boolean): PortableValue;
  /** The place of the row's point in its sequence, from 0 up: shape [1]. */
  place(): PortableValue;
  /** Rows of a table, a constant of shape [rows, …], by whole numbers of shape [...]: shape [..., …]. */
  gather(table: PortableValue, indices: PortableValue): PortableValue;
  /** Numbers that all rows share. */
  constant(values: ArrayLike<number>, shape: readonly number[]): PortableValue;
}
