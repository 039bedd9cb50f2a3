import type { Engine } from './engine.ts';
import { multiplyMatrices, type Operand, type Target } from './matmul.ts';
import type { NdArray } from './nd-array.ts';

/** A matrix in memory with its extents. */
export interface Matrix extends Operand {
  readonly rows: number;
  readonly columns: number;
}

/** A tensor as a matrix, or its transpose. */
export function operand(tensor: NdArray, transpose: boolean): Matrix {
  const { pointer, rows, columns } = tensor;
  const plain = { pointer, rows, columns, rowStride: columns, columnStride: 1 };
  return transpose ? flip(plain) : plain;
}

/** The transpose; nothing moves. */
export function flip({ pointer, rows, columns, rowStride, columnStride }: Matrix): Matrix {
  return { pointer, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride };
}

/** A whole tensor as the place where a product goes. */
export const targetOf = ({ pointer, columns }: NdArray): Target => ({ pointer, rowStride: columns });

/** a·b (+ bias by row) in a new tensor. @throws RangeError when shapes do not fit */
export function product(engine: Engine, a: Matrix, b: Matrix, bias?: NdArray): NdArray {
  if (a.columns !== b.rows)
    throw new RangeError(`matmul: ${a.rows}×${a.columns} times ${b.rows}×${b.columns} does not fit.`);
  if (bias && bias.size !== b.columns)
    throw new RangeError(`matmul: the bias has ${bias.size} elements, the product has ${b.columns} columns.`);
  const output = engine.allocate([a.rows, b.columns], 'a matrix product');
  multiplyMatrices(engine, a, b, targetOf(output), {
    m: a.rows,
    n: b.columns,
    k: a.columns,
    ...(bias && { bias: bias.pointer }),
  });
  return output;
}

/** Sums of the columns: the gradient of a bias. */
export function columnSums(engine: Engine, x: NdArray): NdArray {
  const output = engine.allocate([x.columns], 'column sums');
  engine.backend.run('columnSums', x.pointer, output.pointer, x.rows, x.columns);
  return output;
}
