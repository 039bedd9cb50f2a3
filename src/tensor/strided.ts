/** Kernels over broadcast arrays: the operations of src/tensor/ops are made of these. */
import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { REDUCTIONS, type ReductionName } from '../kernels/axes.ts';
import { MAPS, type MapName } from '../kernels/maps.ts';
import { COMBINATIONS, type Combination, THREES, type ThreeCombination } from '../kernels/strided.ts';
import { type Layout, like } from './define-op.ts';
import { extentsOf, type Loops, loopsOver, type Shape, sizeOf, stridesOf } from './shape.ts';

const twoNames = Object.keys(COMBINATIONS);
const threeNames = Object.keys(THREES);
const reductionNames = Object.keys(REDUCTIONS);
const mapNumbers = new Map<string, number>(MAPS.map(({ name }, i) => [name, i]));

/** An array with the extents that it has beside others: 1 where it is repeated. */
export interface Broadcast {
  readonly array: NdArray;
  readonly extents: Shape;
}

/** An array as it is. */
export const whole = (array: NdArray): Broadcast => ({ array, extents: array.shape });

/** What a kernel's dims# holds, on this step's heap; 0 where there is nothing. */
function dimsOnHeap({ backend: { heap } }: Engine, { outer, strides }: Loops): number {
  const values = [outer, ...strides].flat();
  if (values.length === 0) return 0;
  const pointer = heap.allocate(values.length, 'the dimensions of arrays');
  heap.memory.integers(pointer, values.length).set(values);
  return pointer;
}

const loops = (to: Shape, operands: readonly Broadcast[]): Loops =>
  loopsOver(
    to,
    operands.map(({ extents }) => stridesOf(extents, to)),
  );

/** a ∘ b, repeated to these extents. */
export function combine(engine: Engine, name: Combination, a: Broadcast, b: Broadcast, to: Shape): NdArray {
  const output = engine.allocate(to, 'a combination of arrays');
  const over = loops(to, [a, b]);
  const pointers = [a.array.pointer, b.array.pointer, dimsOnHeap(engine, over), output.pointer] as const;
  const counts = [over.outer.length, over.rows, over.columns, over.steps[0], over.steps[1]] as const;
  engine.backend.run('combine', ...pointers, ...counts, twoNames.indexOf(name));
  return output;
}

/** f(a, b, c), repeated to these extents. @param parameter of Huber's loss */
export function combineThree(
  engine: Engine,
  name: ThreeCombination,
  [a, b, c]: readonly [Broadcast, Broadcast, Broadcast],
  to: Shape,
  parameter = 0,
): NdArray {
  const output = engine.allocate(to, 'a combination of arrays');
  const over = loops(to, [a, b, c]);
  const [aStep, bStep, cStep] = over.steps;
  const pointers = [
    a.array.pointer,
    b.array.pointer,
    c.array.pointer,
    dimsOnHeap(engine, over),
    output.pointer,
  ] as const;
  const counts = [over.outer.length, over.rows, over.columns, aStep, bStep, cStep] as const;
  engine.backend.run('combineThree', ...pointers, ...counts, threeNames.indexOf(name), parameter);
  return output;
}

/** Bounds of `clip`. */
export interface MapParameters {
  readonly p?: number;
  readonly q?: number;
}

/** f(x), element by element. */
export function mapped(engine: Engine, name: MapName, x: NdArray, { p = 0, q = 0 }: MapParameters = {}): NdArray {
  const output = like(engine, x, 'a function of an array');
  engine.backend.run('mapElements', x.pointer, output.pointer, x.size, mapNumbers.get(name) as number, p, q);
  return output;
}

/** dy·f′(x), element by element. */
export function slopes(
  engine: Engine,
  name: MapName,
  x: NdArray,
  dy: NdArray,
  { p = 0, q = 0 }: MapParameters = {},
): NdArray {
  const output = like(engine, x, 'slopes of a function');
  const pointers = [x.pointer, dy.pointer, output.pointer] as const;
  engine.backend.run('mapSlopes', ...pointers, x.size, mapNumbers.get(name) as number, p, q);
  return output;
}

/** factor·x */
export function scaled(engine: Engine, x: NdArray, factor: number): NdArray {
  const output = like(engine, x, 'a scaled array');
  engine.backend.run('scale', x.pointer, output.pointer, x.size, factor);
  return output;
}

/** A part of an array, seen with other strides. */
export interface Window {
  readonly array: NdArray;
  /** In elements, from the array's first. */
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Copies the elements of one window, over these extents, to another. Whole numbers stay what they are. */
export function copyWindow(engine: Engine, from: Window, to: Window, extents: Shape): void {
  const over = loopsOver(extents, [from.strides, to.strides]);
  const start = ({ array: { pointer }, offset }: Window) => pointer + 4 * offset;
  const pointers = [start(from), dimsOnHeap(engine, over), start(to)] as const;
  const counts = [over.outer.length, over.rows, over.columns, over.steps[0], over.steps[1]] as const;
  engine.backend.run('copyStrided', ...pointers, ...counts);
}

/** An array repeated to these extents, as a new array; itself where it has them. */
export function repeated(engine: Engine, { array, extents }: Broadcast, to: Shape): NdArray {
  if (array.size === sizeOf(to)) return array.reshaped(to);
  const output = engine.allocate(to, 'a repeated array');
  const source = { array, offset: 0, strides: stridesOf(extents, to) };
  copyWindow(engine, source, { array: output, offset: 0, strides: stridesOf(to) }, to);
  return output;
}

/** x as outer × extent × inner elements, reduced over the extent, as an array of a shape of outer·inner elements. */
export function reduced(
  engine: Engine,
  name: ReductionName,
  x: NdArray,
  [outer, extent, inner]: readonly [number, number, number],
  shape: Shape,
): NdArray {
  const output = engine.allocate(shape, 'a reduced array');
  const pointers = [x.pointer, output.pointer] as const;
  engine.backend.run('reduceAxis', ...pointers, outer, extent, inner, reductionNames.indexOf(name));
  return output;
}

/** x reduced over axes (from 0 up, ascending), whose extents become 1. Neighbouring axes are reduced at once. */
export function reducedOver(engine: Engine, name: ReductionName, x: NdArray, axes: readonly number[]): NdArray {
  let array = x;
  for (let end = axes.length; end > 0; ) {
    let start = end - 1;
    while (start > 0 && axes[start - 1] === axes[start] - 1) start--;
    const { shape } = array;
    const [first, last] = [axes[start], axes[end - 1] + 1];
    const sizes = [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first, last)), sizeOf(shape.slice(last))] as const;
    const kept = shape.map((extent, d) => (d >= first && d < last ? 1 : extent));
    array = reduced(engine, name, array, sizes, kept);
    end = start;
  }
  return array;
}

/** A gradient summed over all that input i of an operation was repeated for. @param rank extents of a row of the output */
export function summedBack(
  engine: Engine,
  gradient: NdArray,
  x: NdArray,
  layout: Layout,
  i: number,
  rank: number,
): NdArray {
  const extents = extentsOf(x, layout, i, rank);
  const axes = extents.flatMap((extent, d) => (extent === 1 && gradient.shape[d] !== 1 ? [d] : []));
  return reducedOver(engine, 'sum', gradient, axes).reshaped(x.shape);
}
