/** Rows of a table by whole-number indices, and back. */
import type { Engine } from '../../backend/engine.ts';
import { NdArray } from '../../backend/nd-array.ts';
import { defineOp, type Layout, shapeText } from '../define-op.ts';
import { flatNumbers, type Numbers, shapeOfNumbers } from '../numbers.ts';
import { extentsOf, rowShape, sameShape, sizeOf, withRows } from '../shape.ts';
import { repeated, summedBack } from '../strided.ts';
import type { Tape } from '../tape.ts';
import { Tensor } from '../tensor.ts';
import { told } from '../told.ts';

/** Whole-number indices: a tensor of them (`wholeNumbers`, or labels that a task gives), or numbers that all rows share. */
export type Indices = Tensor | Numbers | number;

/**
 * Whole numbers as a tensor that all rows share: indices and labels. Its `array.integers` are its values; `asExamples` makes its first
 * extent that of the examples.
 * @throws RangeError for a number that is not whole, or nested numbers of different lengths
 */
export function wholeNumbers(tape: Tape, numbers: Numbers | number): Tensor {
  const shape = shapeOfNumbers(numbers);
  const values = flatNumbers(numbers);
  const wrong = Array.prototype.findIndex.call(
    values,
    (value) => !Number.isInteger(value) || Math.abs(value) >= 2 ** 31,
  );
  if (wrong >= 0)
    throw new RangeError(`wholeNumbers: ${values[wrong]} at ${wrong}. Expected whole numbers within 32 bits.`);
  const array = integersOnHeap(tape.engine, values, shape);
  return tape.input(array);
}

/** Whole numbers as an array of this step. */
export function integersOnHeap(
  { backend: { heap } }: Engine,
  values: ArrayLike<number>,
  shape: readonly number[],
): NdArray {
  const pointer = heap.allocate(values.length, 'whole numbers');
  heap.memory.integers(pointer, values.length).set(values);
  const array = new NdArray(heap, pointer, shape);
  array.whole = true;
  return array;
}

/** Whole numbers that a tensor holds as floats. No gradient goes to them. */
export const wholeNumbersIn: (x: Tensor) => Tensor = defineOp({
  name: 'wholeNumbersIn',
  causal: () => true,
  ignoresCotangent: () => true,
  forward: (engine, [x]) => ({ output: integersOnHeap(engine, x.values, x.shape) }),
  pullback: () => [null],
  lower: (_to, [x]) => x,
});

/** Indices as a tensor on the tape of another. */
export const indicesOf = (indices: Indices, { tape }: Tensor): Tensor =>
  indices instanceof Tensor ? indices : wholeNumbers(tape, indices);

/** @throws RangeError for an index that is no row */
function checkIndices(name: string, indices: NdArray, count: number): void {
  const values = indices.integers;
  const wrong = values.findIndex((value) => !(value >= 0 && value < count && Number.isInteger(value)));
  if (wrong >= 0)
    throw new RangeError(
      `${name}: index ${values[wrong]} at ${wrong} is not one of ${count} rows. Expected whole numbers from 0 up: plain numbers, or a tensor that \`wholeNumbers\` makes.`,
    );
}

const gatherOp = defineOp({
  name: 'gather',
  moves: true,
  indices: 1,
  causal: () => true,
  showsThrough: true,
  forward(engine, [table, indices], _attributes, { plated }) {
    if (plated[0] || table.shape.length === 0)
      throw new RangeError(
        `gather: the table has ${plated[0] ? 'one value a row of the plate' : 'no rows: its shape is []'}. Expected a table that all rows share, of shape [rows, …].`,
      );
    checkIndices('gather', indices, table.shape[0]);
    const rest = table.shape.slice(1);
    const output = engine.allocate([...indices.shape, ...rest], 'gathered rows');
    const columns = sizeOf(rest);
    engine.backend.run('gatherRows', table.pointer, indices.pointer, output.pointer, indices.size, columns, columns);
    return { output };
  },
  pullback(engine, { inputs: [table], tensors: [, { array: indices }] }, dy) {
    return [addedRows(engine, dy, indices, table.shape), null];
  },
  lower: (to, [table, indices]) => to.gather(table, indices),
});

/** An array of zeros with the rows of x added at these places, in order. */
function addedRows(engine: Engine, x: NdArray, places: NdArray, shape: readonly number[]): NdArray {
  const output = engine.allocate(shape, 'rows added at their places');
  engine.backend.run('fill', output.pointer, output.size, 0);
  const columns = places.size === 0 ? 0 : x.size / places.size;
  engine.backend.run('scatterAddRows', x.pointer, places.pointer, output.pointer, places.size, columns);
  return output;
}

/**
 * The rows of a table, of shape [rows, …], that all rows of a plate share: indices of shape [...] → [..., …]. An embedding. The indices may stand on
 * any plate; the gradient adds what comes back to a row.
 * @throws RangeError for an index that is no row of the table
 */
export const gather = (table: Tensor, indices: Indices): Tensor => gatherOp(table, indicesOf(indices, table));
gather.definition = gatherOp.definition;

interface Scatter {
  readonly rows: number;
}

/** Indices into the rows of all plate rows together: row r of the plate has the places r·rows up. */
function placesIn(engine: Engine, indices: NdArray, { rows: count }: Scatter, layout: Layout): NdArray {
  const own = indices.integers;
  if (layout.rows === undefined) return indices;
  const each = sizeOf(rowShape(indices, layout, 1));
  const places = new Int32Array(layout.rows * each);
  for (let i = 0; i < places.length; i++) {
    const row = Math.floor(i / each);
    places[i] = row * count + own[layout.plated[1] ? i : i - row * each];
  }
  return integersOnHeap(engine, places, [places.length]);
}

const scatterAddOp = defineOp<Scatter>({
  name: 'scatterAdd',
  indices: 1,
  causal: () => true,
  showsThrough: true,
  forward(engine, [values, indices], attributes, layout) {
    const [shape, of] = [rowShape(values, layout, 0), rowShape(indices, layout, 1)];
    if (!sameShape(of, shape.slice(0, of.length)))
      throw new RangeError(
        `scatterAdd: values of the shape ${shapeText(shape)} do not fit indices of ${shapeText(of)}. Expected the extents of the indices first.`,
      );
    checkIndices('scatterAdd', indices, attributes.rows);
    const places = placesIn(engine, indices, attributes, layout);
    const to = withRows([attributes.rows, ...shape.slice(of.length)], layout);
    const extents = extentsOf(values, layout, 0, shape.length);
    const all = repeated(engine, { array: values, extents }, withRows(shape, layout));
    return { output: addedRows(engine, all, places, to), saved: [places] };
  },
  pullback(engine, { inputs: [values], saved: [places], layout }, dy) {
    const shape = rowShape(values, layout, 0);
    const gradient = engine.allocate(withRows(shape, layout), 'the gradient of scattered rows');
    const columns = places.size === 0 ? 0 : gradient.size / places.size;
    engine.backend.run('gatherRows', dy.pointer, places.pointer, gradient.pointer, places.size, columns, columns);
    return [summedBack(engine, gradient, values, layout, 0, shape.length), null];
  },
  lower(to, [values], { tensors: [, { array: indices }], attributes: { rows }, result }) {
    // Indices are never made of the input: the sums are a product with a matrix of ones and zeros.
    const own = indices.integers;
    const ones = new Float32Array(rows * own.length);
    own.forEach((place, i) => {
      ones[place * own.length + i] = 1;
    });
    const flat = to.reshape(values, [own.length, sizeOf(values.shape) / own.length]);
    return to.reshape(to.product(to.constant(ones, [rows, own.length]), flat), result.shape);
  },
});

/**
 * Values added at places: values of shape [..., …] and indices of shape [...] → [rows, …], zeros where nothing is added. The
 * other way of `gather`, in every row by itself.
 * @param rows extent of the output's first axis
 * @throws RangeError for an index that is not below `rows`, or shapes that do not fit
 */
export function scatterAdd(values: Tensor, indices: Indices, rows: number): Tensor {
  if (!(Number.isSafeInteger(rows) && rows >= 0))
    throw new RangeError(`scatterAdd: \`rows\` is ${told(rows)}. Expected a whole number from 0 up.`);
  return scatterAddOp(values, indicesOf(indices, values), { rows });
}
scatterAdd.definition = scatterAddOp.definition;
