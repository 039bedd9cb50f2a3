/** Several tensors as one, along an axis of a row. */
import type { NdArray } from '../../backend/nd-array.ts';
import { applyOp, defineOp, type Layout, shapeText } from '../define-op.ts';
import { axisOf, checkList, extentsOf, rowShape, sameShape, stridesOf, withRows } from '../shape.ts';
import { copyWindow, summedBack, type Window } from '../strided.ts';
import { type Operand, Tensor } from '../tensor.ts';
import { expandDims } from './reshaping.ts';

const concatenateOp = defineOp<{ readonly axis: number }>({
  name: 'concatenate',
  moves: true,
  causal: () => true,
  showsThrough: true,
  forward(engine, inputs, { axis }, layout) {
    const { parts, shape, axis: at, starts } = planOf(inputs, axis, layout);
    const output = engine.allocate(shape, 'joined arrays');
    inputs.forEach((array, i) => {
      const extents = extentsOf(array, layout, i, parts[i].length - Number(layout.rows !== undefined));
      const from = { array, offset: 0, strides: stridesOf(extents, parts[i]) };
      copyWindow(engine, from, windowOf(output, at, starts[i]), parts[i]);
    });
    return { output };
  },
  pullback(engine, { inputs, attributes: { axis }, layout, needs }, dy) {
    const { parts, axis: at, starts } = planOf(inputs, axis, layout);
    return inputs.map((x, i) => {
      if (!needs[i]) return null;
      const part = engine.allocate(parts[i], 'the gradient of a joined array');
      const to = { array: part, offset: 0, strides: stridesOf(parts[i]) };
      copyWindow(engine, windowOf(dy, at, starts[i]), to, parts[i]);
      return summedBack(engine, part, x, layout, i, rowShape(x, layout, i).length);
    });
  },
  lower: (to, inputs, { attributes: { axis } }) => to.concatenate(inputs, axisOf('concatenate', axis, inputs[0].shape)),
});

/** The place of a part along an axis of the whole. */
const windowOf = (array: NdArray, axis: number, start: number): Window => {
  const strides = stridesOf(array.shape);
  return { array, offset: start * strides[axis], strides };
};

/** Extents of every part and of the whole, with the rows; the axis among them, and where along it every part starts. */
function planOf(inputs: readonly NdArray[], axis: number, layout: Layout) {
  const shapes = inputs.map((x, i) => rowShape(x, layout, i));
  const at = axisOf('concatenate', axis, shapes[0]);
  const wrong = shapes.find(
    (shape) => shape.length !== shapes[0].length || !sameShape(shape.with(at, 0), shapes[0].with(at, 0)),
  );
  if (wrong)
    throw new RangeError(
      `concatenate: the shapes ${shapeText(shapes[0])} and ${shapeText(wrong)} do not fit along axis ${at}. Expected shapes that differ there alone.`,
    );
  const starts: number[] = [];
  let length = 0;
  for (const shape of shapes) {
    starts.push(length);
    length += shape[at];
  }
  return {
    parts: shapes.map((shape) => withRows(shape, layout)),
    shape: withRows(shapes[0].with(at, length), layout),
    axis: at + Number(layout.rows !== undefined),
    starts,
  };
}

/** Operands as tensors of one tape. @throws RangeError when none is a tensor */
function tensorsOf(name: string, operands: readonly Operand[]): Tensor[] {
  checkList(`${name}: what is joined`, operands);
  const tape = operands.find((operand) => operand instanceof Tensor)?.tape;
  if (!tape)
    throw new RangeError(`${name}: ${operands.length} operands, none of them a tensor. Expected one tensor or more.`);
  return operands.map((operand) => (operand instanceof Tensor ? operand : tape.constant(operand)));
}

/**
 * Tensors one after another along an axis of their rows; what has no rows of its own is joined to every row.
 * @throws RangeError for shapes that differ elsewhere, an axis that is not there, or no tensor
 */
export const concatenate = (operands: readonly Operand[], axis = 0): Tensor =>
  applyOp(concatenateOp.definition, tensorsOf('concatenate', operands), { axis });
concatenate.definition = concatenateOp.definition;

/** Tensors of one shape along a new axis; −1 is a new last one. @throws RangeError for shapes that differ, an axis beyond them, or no tensor */
export function stack(operands: readonly Operand[], axis = 0): Tensor {
  const tensors = tensorsOf('stack', operands);
  const wrong = tensors.find(({ shape }) => !sameShape(shape, tensors[0].shape));
  if (wrong)
    throw new RangeError(
      `stack: the shapes ${shapeText(tensors[0].shape)} and ${shapeText(wrong.shape)} differ. Expected one shape.`,
    );
  const at = axisOf('stack', axis, [...tensors[0].shape, 1]);
  return concatenate(
    tensors.map((x) => expandDims(x, at)),
    at,
  );
}
