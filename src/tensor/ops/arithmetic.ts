/** Arithmetic of two tensors, element by element; shapes broadcast as in NumPy, row by row. */
import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import type { Combination, ThreeCombination } from '../../kernels/strided.ts';
import { type Formula, f } from '../../neurons/formula.ts';
import { defineOp, type Layout, like, type OpDefinition } from '../define-op.ts';
import { broadcastShape, extentsOf, rowShape, type Shape, sameShape, withRows } from '../shape.ts';
import { type Broadcast, combine, combineThree, scaled, summedBack, whole } from '../strided.ts';
import type { Operand, Tensor } from '../tensor.ts';

/** An operation on two operands: tensors, numbers, or nested numbers that all rows share. */
export interface BinaryOp {
  (a: Operand, b: Operand): Tensor;
  readonly definition: OpDefinition;
}

/** Two inputs beside their output. */
interface Pair {
  readonly a: Broadcast;
  readonly b: Broadcast;
  /** Extents of the output, the rows first. */
  readonly to: Shape;
  /** Extents of one of its rows. */
  readonly rank: number;
}

/** How the cotangent of the output becomes that of an input, before it is summed over what the input was repeated for. */
type Maker = (engine: Engine, dy: Broadcast, pair: Pair) => NdArray;

/** @throws RangeError where the shapes do not broadcast */
function pairOf(name: string, [a, b]: readonly NdArray[], layout: Layout): Pair {
  const shape = broadcastShape(name, [rowShape(a, layout, 0), rowShape(b, layout, 1)]);
  const rank = shape.length;
  const beside = (array: NdArray, i: number) => ({ array, extents: extentsOf(array, layout, i, rank) });
  return { a: beside(a, 0), b: beside(b, 1), to: withRows(shape, layout), rank };
}

interface BinaryOptions extends Pick<OpDefinition, 'showsThrough'> {
  /** A quicker way to the output, where there is one. */
  readonly quick?: (engine: Engine, inputs: readonly NdArray[], layout: Layout) => NdArray | undefined;
}

const [A, B] = [f.operand(0), f.operand(1)];

/** Declares an operation from the name of its kernel's function, the same as a formula, and the gradients at a and b. */
function binary(
  name: Combination,
  formula: Formula,
  makers: readonly [Maker, Maker],
  { quick, ...options }: BinaryOptions = {},
): BinaryOp {
  return defineOp({
    name,
    causal: () => true,
    ...options,
    forward(engine, inputs, _attributes, layout) {
      const output = quick?.(engine, inputs, layout);
      if (output) return { output };
      const { a, b, to } = pairOf(name, inputs, layout);
      return { output: combine(engine, name, a, b, to) };
    },
    pullback(engine, { inputs, layout, needs }, dy) {
      const pair = pairOf(name, inputs, layout);
      return makers.map((make, i) =>
        needs[i] ? summedBack(engine, make(engine, whole(dy), pair), inputs[i], layout, i, pair.rank) : null,
      );
    },
    lower: (to, [a, b]) => to.elementwise(formula, a, b),
  });
}

const same: Maker = (_engine, dy) => dy.array;
const negated: Maker = (engine, dy) => scaled(engine, dy.array, -1);
const share =
  (name: ThreeCombination): Maker =>
  (engine, dy, { a, b, to }) =>
    combineThree(engine, name, [a, b, dy], to);
const otherShare: Maker = (engine, dy, { a, b, to }) => combineThree(engine, 'greaterShare', [b, a, dy], to);

/** a + b. @throws RangeError where the shapes do not broadcast */
export const add = binary('add', f.add(A, B), [same, same], { showsThrough: true, quick: quickSum });

/** a − b. @throws RangeError where the shapes do not broadcast */
export const subtract = binary('subtract', f.subtract(A, B), [same, negated], { showsThrough: true });

/** a ⊙ b. @throws RangeError where the shapes do not broadcast */
export const multiply = binary(
  'multiply',
  f.multiply(A, B),
  [(engine, dy, { b, to }) => product(engine, dy, b, to), (engine, dy, { a, to }) => product(engine, dy, a, to)],
  {
    showsThrough: true,
    quick: (engine, inputs, layout) =>
      alike(inputs, layout) ? product(engine, whole(inputs[0]), whole(inputs[1]), inputs[0].shape) : undefined,
  },
);

/** a / b. @throws RangeError where the shapes do not broadcast */
export const divide = binary(
  'divide',
  f.divide(A, B),
  [(engine, dy, { b, to }) => combine(engine, 'divide', dy, b, to), share('quotientSlope')],
  { showsThrough: true },
);

/**
 * a to the power b; NaN for a negative base with a broken exponent. The gradient at b has log a, or 0 where a is 0.
 * @throws RangeError where the shapes do not broadcast
 */
export const power = binary('power', f.power(A, B), [share('powerSlope'), share('exponentSlope')]);

/** The larger one; NaN where one is. Equal ones share the gradient. @throws RangeError where the shapes do not broadcast */
export const maximum = binary('maximum', f.max(A, B), [share('greaterShare'), otherShare]);

/** The smaller one; NaN where one is. Equal ones share the gradient. @throws RangeError where the shapes do not broadcast */
export const minimum = binary('minimum', f.min(A, B), [otherShare, share('greaterShare')]);

/** factor·x */
export const scale = defineOp<{ readonly factor: number }>({
  name: 'scale',
  causal: () => true,
  showsThrough: true,
  forward: (engine, [x], { factor }) => ({ output: scaled(engine, x, factor) }),
  pullback: (engine, { attributes: { factor } }, dy) => [scaled(engine, dy, factor)],
  lower: (to, [x], { attributes: { factor } }) => to.elementwise(f.multiply(factor, A), x),
});

/** −x */
export const negate = (x: Operand): Tensor => scale(x, { factor: -1 });

const alike = ([a, b]: readonly NdArray[], { plated }: Layout): boolean =>
  plated[0] === plated[1] && sameShape(a.shape, b.shape);

/** Is input i repeated along all extents before its own, and has it more than one element? */
function isTrailing(inputs: readonly NdArray[], layout: Layout, i: number): boolean {
  const [x, other] = [inputs[i], inputs[1 - i]];
  const { length } = x.shape;
  return !layout.plated[i] && x.size > 1 && sameShape(x.shape, rowShape(other, layout, 1 - i).slice(-length));
}

function quickSum(engine: Engine, inputs: readonly NdArray[], layout: Layout): NdArray | undefined {
  const [a, b] = inputs;
  if (alike(inputs, layout)) {
    const output = like(engine, a, 'a sum');
    engine.backend.run('add', a.pointer, b.pointer, output.pointer, a.size);
    return output;
  }
  const i = [1, 0].find((at) => isTrailing(inputs, layout, at));
  if (i === undefined) return undefined;
  const [x, bias] = [inputs[1 - i], inputs[i]];
  const output = like(engine, x, 'a sum');
  engine.backend.run('addBias', x.pointer, bias.pointer, output.pointer, x.size / bias.size, bias.size);
  return output;
}

function product(engine: Engine, a: Broadcast, b: Broadcast, to: Shape): NdArray {
  if (a.array.size !== b.array.size || !sameShape(a.extents, b.extents)) return combine(engine, 'multiply', a, b, to);
  const output = engine.allocate(to, 'a product');
  engine.backend.run('multiply', a.array.pointer, b.array.pointer, output.pointer, output.size);
  return output;
}
