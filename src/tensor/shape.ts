/** Shapes as NumPy has them: broadcasting, axes, and the extents of arrays whose rows come first. */
import type { NdArray } from '../backend/nd-array.ts';
import { type Layout, shapeText } from './define-op.ts';
import { told } from './told.ts';

export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, i) => extent === b[i]);

/** @param what it is, with whose it is: `reshape: the shape` @throws RangeError for what is no list */
export function checkList(what: string, list: unknown): void {
  if (!Array.isArray(list)) throw new RangeError(`${what} is ${told(list)}. Expected a list.`);
}

/** @param what it is, as for `checkList` @throws RangeError for what is no shape */
export function checkShape(what: string, shape: Shape): void {
  checkList(what, shape);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0))
    throw new RangeError(`${what} is ${shapeText(shape)}. Expected whole numbers from 0 up.`);
}

/** Extents of one row of input i. */
export const rowShape = ({ shape }: NdArray, { plated }: Layout, i: number): Shape =>
  plated[i] ? shape.slice(1) : shape;

/** A row's shape with the rows before it, where there are any. */
export const withRows = (shape: Shape, { rows }: Layout): number[] =>
  rows === undefined ? [...shape] : [rows, ...shape];

/** Ones before a shape, so that it has `rank` extents. */
export const padded = (shape: Shape, rank: number): number[] => [...new Array(rank - shape.length).fill(1), ...shape];

/** All extents of input i beside those of an output whose rows have `rank` extents: 1 where it is repeated. */
export function extentsOf(x: NdArray, layout: Layout, i: number, rank: number): number[] {
  const row = padded(rowShape(x, layout, i), rank);
  return layout.rows === undefined ? row : [layout.plated[i] ? x.shape[0] : 1, ...row];
}

/** The shape that all of these are repeated to. @throws RangeError where two extents differ and none is 1 */
export function broadcastShape(name: string, shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  const all = shapes.map((shape) => padded(shape, rank));
  return Array.from({ length: rank }, (_, d) => {
    const extent = all.find((shape) => shape[d] !== 1)?.[d] ?? 1;
    if (all.some((shape) => shape[d] !== 1 && shape[d] !== extent)) throw misfit(name, shapes);
    return extent;
  });
}

function misfit(name: string, shapes: readonly Shape[]): RangeError {
  const texts = shapes.map(shapeText);
  return new RangeError(
    `${name}: the shapes ${texts.slice(0, -1).join(', ')} and ${texts[texts.length - 1]} do not broadcast. Expected extents that are equal, or 1, counted from the last.`,
  );
}

/** An axis from 0 up. @throws RangeError where there is none */
export function axisOf(name: string, axis: number, shape: Shape): number {
  const { length } = shape;
  if (Number.isInteger(axis) && axis >= -length && axis < length) return axis < 0 ? axis + length : axis;
  throw new RangeError(
    `${name}: axis ${axis} of a shape of ${shapeText(shape)}. Expected ${length === 0 ? 'no axis: a single number has none' : `a whole number from ${-length} to ${length - 1}`}.`,
  );
}

/** Axes from 0 up in ascending order; without any, all. @throws RangeError for one that is not there, or named twice */
export function axesOf(name: string, axes: number | readonly number[] | undefined, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, d) => d);
  if (typeof axes !== 'number') checkList(`${name}: what names the axes`, axes);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => axisOf(name, axis, shape));
  if (new Set(list).size < list.length)
    throw new RangeError(`${name}: the axes [${list.join(', ')}] name one twice. Expected each once.`);
  return list.sort((a, b) => a - b);
}

/** Row-major strides, in elements; 0 where an extent of 1 is repeated `to` more. */
export function stridesOf(extents: Shape, to: Shape = extents): number[] {
  const strides = new Array<number>(extents.length);
  for (let d = extents.length - 1, stride = 1; d >= 0; stride *= extents[d--])
    strides[d] = extents[d] === 1 && to[d] !== 1 ? 0 : stride;
  return strides;
}

/** Loops over an array: those before the last as an odometer, and the last. */
export interface Loops {
  readonly outer: readonly number[];
  /** Of every operand: strides of the outer loops. */
  readonly strides: readonly (readonly number[])[];
  readonly rows: number;
  readonly columns: number;
  /** Of every operand: the stride of the last loop. */
  readonly steps: readonly number[];
}

/** As few loops as these extents and the operands' strides allow. */
export function loopsOver(extents: Shape, operands: readonly (readonly number[])[]): Loops {
  const kept: { extent: number; strides: number[] }[] = [];
  for (let d = extents.length - 1; d >= 0; d--) {
    const [extent, strides] = [extents[d], operands.map((operand) => operand[d])];
    if (extent === 1) continue;
    const inner = kept[0];
    if (inner && strides.every((stride, i) => stride === inner.strides[i] * inner.extent))
      kept[0] = { extent: extent * inner.extent, strides: inner.strides };
    else kept.unshift({ extent, strides });
  }
  const last = kept.pop() ?? { extent: 1, strides: operands.map(() => 0) };
  return {
    outer: kept.map(({ extent }) => extent),
    strides: operands.map((_, i) => kept.map(({ strides }) => strides[i])),
    rows: sizeOf(kept.map(({ extent }) => extent)),
    columns: last.extent,
    steps: last.strides,
  };
}
