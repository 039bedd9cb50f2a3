import type { Engine } from '../../backend/engine.ts';
import { type Batch, type Operand as Factor, multiplyMatrices } from '../../backend/matmul.ts';
import { columnSums, flip, type Matrix, operand, product, targetOf } from '../../backend/matrix.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { f } from '../../neurons/formula.ts';
import { checkNames, type NamesOf } from '../../schema/names.ts';
import { defineOp, type Layout, like, shapeText } from '../define-op.ts';
import type { Portable, PortableValue } from '../portable.ts';
import { broadcastShape, loopsOver, padded, rowShape, type Shape, sizeOf, stridesOf, withRows } from '../shape.ts';
import { type Operand, Tensor } from '../tensor.ts';
import { add } from './arithmetic.ts';

/** Take the transposes of the last two extents; vectors have none. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

const NAMES: NamesOf<MatmulOptions> = { transposeA: true, transposeB: true };

/** One of the two operands: a batch of matrices. */
interface Side {
  readonly array: NdArray;
  /** Extents of the batch, the rows first; 1 where it is repeated. */
  readonly batch: Shape;
  /** Rows and columns as multiplied. */
  readonly rows: number;
  readonly columns: number;
  readonly transposed: boolean;
}

interface Plan {
  readonly a: Side;
  readonly b: Side;
  /** Extents of the batch of products. */
  readonly batch: Shape;
  /** Extents of the output. */
  readonly shape: Shape;
}

/** One product that does it all. */
interface Flat {
  readonly a: Matrix;
  readonly b: Matrix;
  /** Extents of the output. */
  readonly shape: Shape;
}

/** Of one matrix, or vector, that all rows share: the matrices on its left stand one under the other. Undefined for anything else. */
function flatOf(
  [a, b]: readonly NdArray[],
  { transposeA = false, transposeB = false }: MatmulOptions,
  { plated, rows }: Layout,
): Flat | undefined {
  const { length } = a.shape;
  const rank = length - Number(plated[0]);
  const isColumn = b.shape.length === 1;
  if (plated[1] || b.shape.length > 2 || b.shape.length === 0 || rank === 0 || (rows !== undefined && !plated[0]))
    return undefined;
  const turn = transposeA && rank > 1;
  if (turn && length > 2) return undefined;
  const right = isColumn ? operand(b.reshaped([b.size, 1]), false) : operand(b, transposeB);
  const k = a.shape[turn ? 0 : length - 1];
  if (right.rows !== k) return undefined;
  const kept = turn ? a.shape.slice(1) : a.shape.slice(0, -1);
  const left = turn ? operand(a, true) : operand(a.reshaped([sizeOf(kept), k]), false);
  return { a: left, b: right, shape: isColumn ? kept : [...kept, right.columns] };
}

/** @throws RangeError for shapes that do not fit */
function planOf(
  [a, b]: readonly NdArray[],
  { transposeA = false, transposeB = false }: MatmulOptions,
  layout: Layout,
): Plan {
  const [shapeA, shapeB] = [rowShape(a, layout, 0), rowShape(b, layout, 1)];
  const [isRow, isColumn] = [shapeA.length === 1, shapeB.length === 1];
  const [left, right] = [isRow ? [1, ...shapeA] : shapeA, isColumn ? [...shapeB, 1] : shapeB];
  const [ta, tb] = [transposeA && !isRow, transposeB && !isColumn];
  const [m, k] = lastTwo(left, ta);
  const [inner, n] = lastTwo(right, tb);
  if (left.length < 2 || right.length < 2 || k !== inner)
    throw new RangeError(
      `matmul: the shapes ${shapeText(shapeA)}${ta ? ' (transposed)' : ''} and ${shapeText(shapeB)}${tb ? ' (transposed)' : ''} do not fit. Expected one axis or more each, and as many columns of the first as rows of the second.`,
    );
  const [leadA, leadB] = [left.slice(0, -2), right.slice(0, -2)];
  const lead = broadcastShape('matmul', [leadA, leadB]);
  const withPlate = (own: Shape, array: NdArray, i: number) => {
    const extents = padded(own, lead.length);
    return layout.rows === undefined ? extents : [layout.plated[i] ? array.shape[0] : 1, ...extents];
  };
  const batchA = withPlate(leadA, a, 0);
  const batchB = withPlate(leadB, b, 1);
  return {
    a: { array: a, batch: batchA, rows: m, columns: k, transposed: ta },
    b: { array: b, batch: batchB, rows: k, columns: n, transposed: tb },
    batch: withRows(lead, layout),
    shape: withRows([...lead, ...(isRow ? [] : [m]), ...(isColumn ? [] : [n])], layout),
  };
}

const lastTwo = (shape: Shape, transposed: boolean): readonly [number, number] => {
  const [rows, columns] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
};

/** One matrix of a side, at the start of its array. */
const factorOf = ({ array: { pointer }, rows, columns, transposed }: Side): Factor =>
  transposed ? { pointer, rowStride: 1, columnStride: rows } : { pointer, rowStride: columns, columnStride: 1 };

const turned = ({ pointer, rowStride, columnStride }: Factor): Factor => ({
  pointer,
  rowStride: columnStride,
  columnStride: rowStride,
});

const shifted = <T extends { readonly pointer: number }>(x: T, elements: number): T => ({
  ...x,
  pointer: x.pointer + 4 * elements,
});

/** For every run of products with even distances: where the two sides and the product start, and a `Batch`. */
function runs(plan: Plan, each: (starts: readonly [number, number, number], batch: Batch) => void): void {
  const { a, b, batch } = plan;
  const sizes = [a.rows * a.columns, b.rows * b.columns, a.rows * b.columns];
  const { outer, strides, rows, columns, steps } = loopsOver(batch, [
    stridesOf(a.batch, batch),
    stridesOf(b.batch, batch),
    stridesOf(batch),
  ]);
  const [aStep, bStep, cStep] = steps.map((step, i) => step * sizes[i]);
  for (let r = 0; r < rows; r++) {
    const starts = strides.map((stride, i) => {
      let rest = r;
      let start = 0;
      for (let d = outer.length - 1; d >= 0; d--) {
        start += (rest % outer[d]) * stride[d];
        rest = Math.floor(rest / outer[d]);
      }
      return start * sizes[i];
    });
    each(starts as [number, number, number], { count: columns, a: aStep, b: bStep, c: cStep, bias: 0 });
  }
}

/** a·b, one product for every element of the batch. */
function products(engine: Engine, plan: Plan, bias: NdArray | undefined): NdArray {
  const output = engine.allocate(plan.shape, 'matrix products');
  const [m, n, k] = [plan.a.rows, plan.b.columns, plan.a.columns];
  const [left, right] = [factorOf(plan.a), factorOf(plan.b)];
  const size = { m, n, k, ...(bias && { bias: bias.pointer }) };
  runs(plan, ([a, b, c], batch) => {
    const target = { pointer: output.pointer + 4 * c, rowStride: n };
    multiplyMatrices(engine, shifted(left, a), shifted(right, b), target, size, batch);
  });
  return output;
}

/** The gradient of one side of a batch of products; what is repeated gets the sum. */
function sideGradient(engine: Engine, plan: Plan, dy: NdArray, which: 'a' | 'b'): NdArray {
  const side = plan[which];
  const output = engine.allocate(side.array.shape, 'the gradient of a factor');
  const accumulate = sizeOf(side.batch) !== sizeOf(plan.batch);
  if (accumulate) engine.backend.run('fill', output.pointer, output.size, 0);
  const d: Factor = { pointer: dy.pointer, rowStride: plan.b.columns, columnStride: 1 };
  const other = turned(factorOf(which === 'a' ? plan.b : plan.a));
  // da = dy·bᵀ and db = aᵀ·dy, or the transposes of these where the side is stored transposed.
  const first = which === 'a' ? !side.transposed : side.transposed;
  const [rows, columns] = side.transposed ? [side.columns, side.rows] : [side.rows, side.columns];
  const k = which === 'a' ? plan.b.columns : plan.a.rows;
  const [dFactor, otherFactor] = side.transposed ? [turned(d), turned(other)] : [d, other];
  const size = { m: rows, n: columns, k, accumulate };
  const one = (startA: number, startB: number, startC: number, batch?: Batch): void => {
    const start = which === 'a' ? startA : startB;
    const target = { pointer: output.pointer + 4 * start, rowStride: columns };
    const pair = [shifted(dFactor, startC), shifted(otherFactor, which === 'a' ? startB : startA)] as const;
    const [left, right] = first ? pair : [pair[1], pair[0]];
    multiplyMatrices(engine, left, right, target, size, batch);
  };
  runs(plan, ([a, b, c], batch) => {
    if (accumulate) {
      // Sums into one place have an order.
      for (let i = 0; i < batch.count; i++) one(a + i * batch.a, b + i * batch.b, c + i * batch.c);
      return;
    }
    const [own, far] = which === 'a' ? [batch.a, batch.b] : [batch.b, batch.a];
    one(a, b, c, { count: batch.count, bias: 0, c: own, ...(first ? { a: batch.c, b: far } : { a: far, b: batch.c }) });
  });
  return output;
}

/** a·b (+ bias): batches of m×k · k×n. */
const matmulOp = defineOp<MatmulOptions>({
  name: 'matmul',
  causal: () => true,
  cost(inputs, options, layout) {
    const flat = flatOf(inputs, options, layout);
    if (flat) return flat.a.rows * flat.a.columns * flat.b.columns;
    const { a, b, batch } = planOf(inputs, options, layout);
    return sizeOf(batch) * a.rows * a.columns * b.columns;
  },
  forward(engine, inputs, options, layout) {
    const bias = inputs[2] as NdArray | undefined;
    const flat = flatOf(inputs, options, layout);
    if (flat) return { output: product(engine, flat.a, flat.b, bias).reshaped(flat.shape) };
    const plan = planOf(inputs, options, layout);
    if (bias && bias.size !== plan.b.columns)
      throw new RangeError(`matmul: the bias has ${bias.size} elements, the product has ${plan.b.columns} columns.`);
    return { output: products(engine, plan, bias) };
  },
  pullback(engine, { inputs, attributes, layout, needs }, dy, { descend }) {
    const biasGradient = (rows: number, columns: number) =>
      needs[2] ? columnSums(engine, dy.reshaped([rows, columns])).reshaped(inputs[2].shape) : null;
    const flat = flatOf(inputs, attributes, layout);
    if (!flat) {
      const plan = planOf(inputs, attributes, layout);
      const da = needs[0] ? sideGradient(engine, plan, dy, 'a') : null;
      const db = needs[1] ? sideGradient(engine, plan, dy, 'b') : null;
      return [da, db, biasGradient(sizeOf(plan.batch) * plan.a.rows, plan.b.columns)];
    }
    const { a, b } = flat;
    const [turnA, turnB] = [
      isTurned(attributes.transposeA, inputs[0], layout.plated[0]),
      isTurned(attributes.transposeB, inputs[1]),
    ];
    const dFlat = dy.reshaped([a.rows, b.columns]);
    const d = operand(dFlat, false);
    // The gradient of a comes first: b may change under its own.
    const dA = needs[0] ? (turnA ? product(engine, b, flip(d)) : product(engine, d, flip(b))) : null;
    const da = dA?.reshaped(inputs[0].shape) ?? null;
    const dBias = biasGradient(a.rows, b.columns);
    if (!needs[1]) return [da, null, dBias];
    const factor = turnB ? undefined : descend(inputs[1]);
    if (factor !== undefined) {
      descendMatrix(engine, a, dFlat, inputs[1], factor);
      return [da, null, dBias];
    }
    const db = turnB ? product(engine, flip(d), a) : product(engine, flip(a), d);
    return [da, db.reshaped(inputs[1].shape), dBias];
  },
  lower(to, [a, b, bias], { attributes: { transposeA = false, transposeB = false }, result }) {
    const [left, right] = [turnedValue(to, a, transposeA), turnedValue(to, b, transposeB)];
    // A vector on the left is a row already where no batch is on the right.
    const row = left.shape.length === 1 && b.shape.length > 2 ? to.reshape(left, [1, ...left.shape]) : left;
    const column = right.shape.length === 1 ? to.reshape(right, [...right.shape, 1]) : right;
    const products = to.reshape(to.product(row, column), result.shape);
    return bias ? to.elementwise(f.add(f.logit, f.operand(1)), products, bias) : products;
  },
});

/** The last two axes exchanged, of matrices. */
function turnedValue(to: Portable, x: PortableValue, transpose: boolean): PortableValue {
  const { shape } = x;
  if (!transpose || shape.length < 2) return x;
  const turn = (extents: readonly number[]) => [...extents.slice(0, -2), ...extents.slice(-2).reverse()];
  return to.view(x, turn(shape), turn(stridesOf(shape)));
}

/** Is an operand stored as the transpose of what is multiplied? Vectors never are. */
const isTurned = (transpose: boolean | undefined, { shape }: NdArray, plated = false): boolean =>
  transpose === true && shape.length - Number(plated) > 1;

/** weights += factor·aᵀ·dy */
function descendMatrix(engine: Engine, a: Matrix, dy: NdArray, weights: NdArray, factor: number): void {
  const scaled = like(engine, dy, 'a scaled cotangent');
  engine.backend.run('scale', dy.pointer, scaled.pointer, dy.size, factor);
  const size = { m: a.columns, n: dy.columns, k: dy.rows, accumulate: true };
  multiplyMatrices(engine, flip(a), operand(scaled, false), targetOf(weights), size);
}

/**
 * The matrix product a·b (+ bias, one number a column) of the last two axes; those before them broadcast, and vectors are rows on the left, columns
 * on the right, as in NumPy.
 * @throws RangeError for shapes that do not fit
 */
export function matmul(a: Operand, b: Operand, bias?: Operand, options: MatmulOptions = {}): Tensor {
  checkNames('matmul', options, NAMES);
  // A bias of every row is no row that all rows are given.
  if (bias instanceof Tensor && bias.plate) return add(matmulOp(a, b, options), bias);
  return matmulOp(a, b, bias, options);
}
matmul.definition = matmulOp.definition;
