/** Parts behind gates: rows that a gate opened, and what parts make of them put together again. */
import type { BlockMask } from '../../backend/block-mask.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { checkOneOf } from '../../schema/names.ts';
import { defineOp, like, shapeText } from '../define-op.ts';
import type { Plate, Plates } from '../plate.ts';
import { sameShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { reshape, transpose } from './reshaping.ts';

/** The rows that gate k opened, by a mask of gates on these rows; the rows themselves where it opened all. */
export function openRows({ tape, plate }: Tensor, mask: BlockMask, gate: number): Plate {
  const rows = plate as Plate;
  const starts = mask.blockStarts();
  const [from, to] = [starts[gate], starts[gate + 1]];
  // A copy: the heap may grow, and its views with it.
  return to - from === rows.rows ? rows : tape.plates.gathered(rows, mask.pairRows().slice(from, to));
}

/** How what parts make becomes one: their sum, or one after another along the last axis. */
export type Join = 'sum' | 'concatenate';
export const JOINS: readonly Join[] = ['sum', 'concatenate'];

/** What one part made of the rows that opened it. */
export interface OpenPart {
  /** The number of its gate. */
  readonly gate: number;
  readonly values: Tensor;
}

interface Attributes {
  readonly plates: Plates;
  /** The gates' rows, and of every part that was run its own. */
  readonly rows: Plate;
  readonly from: readonly Plate[];
  /** Of every part that was run: the number of its gate. */
  readonly gates: readonly number[];
  /** Of what a part makes of a row. */
  readonly shape: readonly number[];
  /** Are the parts' values one after another, in place of their sum? */
  readonly stacked: boolean;
}

/** The values of a part, its gate, the rows that it is of, and its place in the output. */
interface Place {
  readonly part: NdArray;
  readonly number: number;
  readonly gate: number;
  /** Whole numbers on the heap; 0 for all rows in order. */
  readonly rowOf: number;
  /** In bytes, from the start of a row. */
  readonly offset: number;
  /** The last arguments of the kernels. */
  readonly extents: readonly [rows: number, columns: number, gateStride: number, stride: number];
}

/** Every part with where its values go. */
function placesOf(
  [gates, ...parts]: readonly NdArray[],
  { plates, rows, from, gates: numbers, shape, stacked }: Attributes,
): Place[] {
  const columns = sizeOf(shape);
  const stride = stacked ? gates.columns * columns : columns;
  return parts.map((part, i) => ({
    part,
    number: i,
    gate: 4 * numbers[i],
    rowOf: from[i] === rows ? 0 : plates.ownersOnHeap(from[i], rows),
    offset: stacked ? 4 * numbers[i] * columns : 0,
    extents: [part.rows, columns, gates.columns, stride],
  }));
}

const joinOp = defineOp<Attributes>({
  name: 'joinParts',
  causal: () => true,
  showsThrough: true,
  plates: (_inputs, { rows, from }) => ({ inputs: [rows, ...from], output: rows }),
  forward(engine, arrays, attributes) {
    const [gates] = arrays;
    const { shape, stacked } = attributes;
    const output = engine.allocate([gates.rows, ...(stacked ? [gates.columns] : []), ...shape], 'what parts come to');
    engine.backend.run('fill', output.pointer, output.size, 0);
    for (const { part, gate, rowOf, offset, extents } of placesOf(arrays, attributes))
      engine.backend.run(
        'addGatedRows',
        part.pointer,
        gates.pointer + gate,
        rowOf,
        output.pointer + offset,
        ...extents,
      );
    return { output };
  },
  pullback(engine, { inputs, attributes, needs }, dy) {
    const { backend } = engine;
    const gradients = inputs.map((input, i) => (needs[i] ? like(engine, input, 'the gradient of a part') : null));
    const [dGates, ...dParts] = gradients;
    if (dGates) backend.run('fill', dGates.pointer, dGates.size, 0);
    for (const { part, number, gate, rowOf, offset, extents } of placesOf(inputs, attributes)) {
      const [own, above] = [inputs[0].pointer + gate, dy.pointer + offset];
      const dPart = dParts[number];
      if (dPart) backend.run('gatedRowsValues', above, own, rowOf, dPart.pointer, ...extents);
      if (dGates) backend.run('gatedRowsGates', part.pointer, above, rowOf, dGates.pointer + gate, ...extents);
    }
    return gradients;
  },
  lower(to, [gates, ...parts], { attributes: { shape, stacked } }) {
    const size = sizeOf(shape);
    const flat = parts.map((part) => to.reshape(part, [size]));
    const all = to.gate(gates, flat.length === 1 ? flat[0] : to.concatenate(flat, 0), size);
    if (stacked) return to.reshape(all, [parts.length, ...shape]);
    return to.reshape(to.reduce('sum', to.reshape(all, [parts.length, size]), [0]), shape);
  },
});

/**
 * Gates (shape [count], 0 where closed) times what the parts made of the rows that opened them: Σ_k g_k·y_k, of the shape of a part's values, or
 * all g_k·y_k one after another along its last axis. A part that is not there was opened by no row.
 * @param shape of what a part makes of a row
 * @throws RangeError where a part has another shape, or other rows than it was given
 */
export function joinParts(gates: Tensor, parts: readonly OpenPart[], shape: readonly number[], join: Join): Tensor {
  const { tape } = gates;
  const where = tape.layer ? ` of "${tape.layer}"` : '';
  for (const { gate, values } of parts) {
    if (!sameShape(values.shape, shape))
      throw new RangeError(
        `Part ${gate}${where} gives the shape ${shapeText(values.shape)}, and another the shape ${shapeText(shape)}. Expected the same shape of all parts.`,
      );
    const at = values.plate?.structure;
    if (at !== gates.plate?.structure && (at?.kind !== 'gathered' || at.over !== gates.plate?.structure))
      throw new RangeError(
        `Part ${gate}${where} gives ${tape.plates.describe(values.plate)}. Expected one row for each of the rows that it was given.`,
      );
  }
  const inputs = [gates, ...parts.map(({ values }) => values)];
  checkOneOf('join', join, JOINS, tape.layer || 'joinParts');
  const stacked = join === 'concatenate';
  const depth = Math.max(...inputs.map(({ plate }) => (plate as Plate).depth));
  const [rows, ...from] = inputs.map(({ plate }) => tape.plates.at((plate as Plate).structure, depth));
  const numbers = parts.map(({ gate }) => gate);
  const joined = joinOp(...inputs, { plates: tape.plates, rows, from, gates: numbers, shape, stacked });
  if (!stacked) return joined;
  const [count] = gates.shape;
  const before = shape.slice(0, -1);
  const last = shape.length - 1;
  const turned = before.length === 0 ? joined : transpose(joined, [...before.map((_, axis) => axis + 1), 0, last + 1]);
  return reshape(turned, [...before, count * (shape[last] ?? 1)]);
}

/** x itself, whose gradient is multiplied by weights of its shape. */
export const weighGradient = defineOp<{ readonly weights: NdArray }>({
  name: 'weighGradient',
  moves: true,
  causal: () => true,
  showsThrough: true,
  plates: ([{ plate }]) => ({ inputs: [plate], output: plate }),
  forward: (_engine, [x]) => ({ output: x }),
  pullback(engine, { inputs: [x], attributes: { weights } }, dy) {
    const output = like(engine, x, 'a weighted gradient');
    engine.backend.run('multiply', dy.pointer, weights.pointer, output.pointer, output.size);
    return [output];
  },
  lower: (_to, [x]) => x,
});
