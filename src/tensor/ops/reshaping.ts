/** What changes the shape of every row and no value. */
import { defineOp, shapeText } from '../define-op.ts';
import {
  axesOf,
  axisOf,
  broadcastShape,
  checkList,
  checkShape,
  extentsOf,
  padded,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
  withRows,
} from '../shape.ts';
import { copyWindow, repeated, summedBack } from '../strided.ts';
import type { Tensor } from '../tensor.ts';

const reshapeOp = defineOp<{ readonly shape: Shape }>({
  name: 'reshape',
  moves: true,
  causal: () => true,
  showsThrough: true,
  forward: (_engine, [x], { shape }, layout) => ({ output: x.reshaped(withRows(shape, layout)) }),
  pullback: (_engine, { inputs: [x] }, dy) => [dy.reshaped(x.shape)],
  lower: (to, [x], { attributes: { shape } }) => to.reshape(x, shape),
});

/**
 * Every row in another shape of as many elements, row-major; one extent may be −1: what is left.
 * @throws RangeError where the elements do not fit
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkList('reshape: the shape', shape);
  const free = shape.indexOf(-1);
  const given = sizeOf(shape.filter((_, d) => d !== free));
  const size = sizeOf(x.shape);
  const to = free < 0 || given === 0 ? [...shape] : shape.map((extent, d) => (d === free ? size / given : extent));
  if (!to.every((extent) => Number.isInteger(extent) && extent >= 0) || sizeOf(to) !== size)
    throw new RangeError(
      `reshape: ${shapeText(x.shape)} does not become ${shapeText(shape)}. Expected a shape of ${size} elements, with at most one extent of −1.`,
    );
  return reshapeOp(x, { shape: to });
}

/** A new axis of extent 1; −1 puts it last. @throws RangeError for an axis beyond the shape */
export function expandDims(x: Tensor, axis: number): Tensor {
  const at = axisOf('expandDims', axis, [...x.shape, 1]);
  return reshapeOp(x, { shape: x.shape.toSpliced(at, 0, 1) });
}

/** Without these axes, whose extents must be 1; without all such axes where none is named. @throws RangeError for another extent */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  const { shape } = x;
  const gone =
    axes === undefined ? shape.flatMap((extent, d) => (extent === 1 ? [d] : [])) : axesOf('squeeze', axes, shape);
  const wide = gone.find((axis) => shape[axis] !== 1);
  if (wide !== undefined)
    throw new RangeError(`squeeze: axis ${wide} of ${shapeText(shape)} has ${shape[wide]} elements. Expected 1.`);
  return reshapeOp(x, { shape: shape.filter((_, d) => !gone.includes(d)) });
}

/** The axes of x in another order: axis d of the output is axis order[d] of x. */
const transposeOp = defineOp<{ readonly order: readonly number[] }>({
  name: 'transpose',
  moves: true,
  causal: () => true,
  showsThrough: true,
  forward(engine, [x], { order }, layout) {
    const axes = wholeOrder(order, layout.plated[0]);
    const output = engine.allocate(
      axes.map((axis) => x.shape[axis]),
      'a transposed array',
    );
    const strides = stridesOf(x.shape);
    const from = { array: x, offset: 0, strides: axes.map((axis) => strides[axis]) };
    copyWindow(engine, from, { array: output, offset: 0, strides: stridesOf(output.shape) }, output.shape);
    return { output };
  },
  pullback(engine, { inputs: [x], attributes: { order }, layout }, dy) {
    const axes = wholeOrder(order, layout.plated[0]);
    const gradient = engine.allocate(x.shape, 'the gradient of a transposed array');
    const strides = stridesOf(dy.shape);
    const from = { array: dy, offset: 0, strides: x.shape.map((_, axis) => strides[axes.indexOf(axis)]) };
    copyWindow(engine, from, { array: gradient, offset: 0, strides: stridesOf(x.shape) }, x.shape);
    return [gradient];
  },
  lower(to, [x], { attributes: { order } }) {
    const strides = stridesOf(x.shape);
    return to.view(
      x,
      order.map((axis) => x.shape[axis]),
      order.map((axis) => strides[axis]),
    );
  },
});

/** An order of a row's axes as one of all axes of the array. */
const wholeOrder = (order: readonly number[], plated: boolean): number[] =>
  plated ? [0, ...order.map((axis) => axis + 1)] : [...order];

/**
 * The axes in another order; reversed where none is given.
 * @param order which axis of x stands at every place
 * @throws RangeError unless every axis is named once
 */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  const { shape } = x;
  if (order !== undefined) checkList('transpose: the order', order);
  const axes = order ? order.map((axis) => axisOf('transpose', axis, shape)) : shape.map((_, d) => d).reverse();
  if (axes.length !== shape.length || new Set(axes).size !== axes.length)
    throw new RangeError(
      `transpose: the order [${order?.join(', ')}] for a shape of ${shapeText(shape)}. Expected each of its ${shape.length} axes once.`,
    );
  return transposeOp(x, { order: axes });
}

const broadcastOp = defineOp<{ readonly shape: Shape }>({
  name: 'broadcastTo',
  moves: true,
  causal: () => true,
  showsThrough: true,
  forward(engine, [x], { shape }, layout) {
    const extents = extentsOf(x, layout, 0, shape.length);
    return { output: repeated(engine, { array: x, extents }, withRows(shape, layout)) };
  },
  pullback: (engine, { inputs: [x], attributes: { shape }, layout }, dy) => [
    summedBack(engine, dy, x, layout, 0, shape.length),
  ],
  lower: (to, [x], { attributes: { shape } }) => to.view(x, shape, stridesOf(padded(x.shape, shape.length), shape)),
});

/** x repeated to a shape, as NumPy's `broadcast_to`. @throws RangeError where the shapes do not fit */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkShape('broadcastTo: the shape', shape);
  if (x.shape.length > shape.length || !sameShape(broadcastShape('broadcastTo', [x.shape, shape]), shape))
    throw new RangeError(
      `broadcastTo: ${shapeText(x.shape)} does not become ${shapeText(shape)}. Expected extents that are equal, or 1 in the tensor.`,
    );
  return broadcastOp(x, { shape });
}

interface Cut {
  readonly starts: readonly number[];
  /** Extents of the part. */
  readonly extents: Shape;
}

const sliceOp = defineOp<Cut>({
  name: 'slice',
  moves: true,
  causal: () => true,
  showsThrough: true,
  forward(engine, [x], { starts, extents }, layout) {
    const output = engine.allocate(withRows(extents, layout), 'a part of an array');
    const part = { array: x, ...windowOf(x.shape, starts) };
    copyWindow(engine, part, { array: output, offset: 0, strides: stridesOf(output.shape) }, output.shape);
    return { output };
  },
  pullback(engine, { inputs: [x], attributes: { starts } }, dy) {
    const gradient = engine.allocate(x.shape, 'the gradient of an array that a part was taken of');
    engine.backend.run('fill', gradient.pointer, gradient.size, 0);
    const part = { array: gradient, ...windowOf(x.shape, starts) };
    copyWindow(engine, { array: dy, offset: 0, strides: stridesOf(dy.shape) }, part, dy.shape);
    return [gradient];
  },
  lower(to, [x], { attributes: { starts, extents } }) {
    const { strides, offset } = windowOf(x.shape, starts);
    return to.view(x, extents, strides, offset);
  },
});

/** Where a part of an array starts; `starts` may leave out the rows. */
function windowOf(shape: Shape, starts: readonly number[]): { offset: number; strides: number[] } {
  const strides = stridesOf(shape);
  const first = shape.length - starts.length;
  return { offset: starts.reduce((offset, start, d) => offset + start * strides[first + d], 0), strides };
}

/**
 * A part of every row: along axis d from starts[d] up to, not including, ends[d]. Negative ones count from the end and ones beyond it
 * are the end, as in NumPy; axes that are not named stay whole.
 * @throws RangeError for more starts or ends than axes, or one that is no whole number
 */
export function slice(x: Tensor, starts: readonly number[], ends: readonly (number | undefined)[] = []): Tensor {
  const { shape } = x;
  checkList('slice: where it starts', starts);
  checkList('slice: where it ends', ends);
  const whole = [...starts, ...ends.filter((end) => end !== undefined)].every(Number.isInteger);
  if (starts.length > shape.length || ends.length > shape.length || !whole)
    throw new RangeError(
      `slice: starts [${starts.join(', ')}] and ends [${ends.join(', ')}] for a shape of ${shapeText(shape)}. Expected at most ${shape.length} whole numbers each.`,
    );
  const within = (at: number, extent: number) => Math.min(Math.max(at < 0 ? at + extent : at, 0), extent);
  const from = shape.map((extent, d) => within(starts[d] ?? 0, extent));
  const extents = shape.map((extent, d) => Math.max(0, within(ends[d] ?? extent, extent) - from[d]));
  return sliceOp(x, { starts: from, extents });
}
