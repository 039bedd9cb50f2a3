/** Self-attention among the points of sequences, and positions of points. */

import type { NdArray } from '../../backend/nd-array.ts';
import { attentionFits } from '../../kernels/attention.ts';
import { f } from '../../neurons/formula.ts';
import { checkNames, type NamesOf } from '../../schema/names.ts';
import { defineOp, like, shapeText } from '../define-op.ts';
import type { Plates } from '../plate.ts';
import type { Tensor } from '../tensor.ts';
import { integersOnHeap } from './gathering.ts';
import { checkWholeSequences, countOf, type OfSequences, sequencesOf } from './sequences.ts';

interface Attributes extends OfSequences {
  readonly heads: number;
  readonly causal: boolean;
}

/** The kernels' arguments after their arrays. */
function extentsOf(x: NdArray, { heads, causal, ...sequences }: Attributes) {
  const size = x.columns / (3 * heads);
  return [countOf(sequences), heads, size, Number(causal), 1 / Math.sqrt(size)] as const;
}

const attentionOp = defineOp<Attributes>({
  name: 'attention',
  causal: ({ causal }) => causal,
  plates: (_inputs, { plate }) => ({ inputs: [plate], output: plate }),
  cost([x], { plates, plate, causal }) {
    const offsets = plates.offsetsOf(plate);
    let pairs = 0;
    for (let s = 0; s + 1 < offsets.length; s++) {
      const points = offsets[s + 1] - offsets[s];
      pairs += causal ? (points * (points + 1)) / 2 : points * points;
    }
    // A product with the keys, and one with the values.
    return (2 * pairs * x.columns) / 3;
  },
  forward(engine, [x], attributes) {
    const { heads, plates, plate } = attributes;
    const offsets = plates.offsetsOf(plate);
    for (let s = 0; s + 1 < offsets.length; s++) {
      const points = offsets[s + 1] - offsets[s];
      if (!attentionFits(points, x.columns / (3 * heads)))
        throw new RangeError(
          `attention: sequence ${s} has ${points} points, too many for heads of ${x.columns / (3 * heads)} numbers. Expected shorter sequences, or smaller heads.`,
        );
    }
    const output = engine.allocate([x.rows, x.columns / 3], 'the output of attention');
    const logSums = engine.allocate([x.rows, heads], 'the sums of attention');
    const pointers = [x.pointer, plates.offsetsOnHeap(plate), output.pointer, logSums.pointer] as const;
    engine.backend.run('attention', ...pointers, ...extentsOf(x, attributes));
    return { output, saved: [logSums] };
  },
  pullback(engine, { inputs: [x], output, saved: [logSums], attributes }, dy) {
    const { plates, plate } = attributes;
    const dx = like(engine, x, 'the gradient of attention');
    const pointers = [x.pointer, plates.offsetsOnHeap(plate), output.pointer, logSums.pointer] as const;
    engine.backend.run('attentionPullback', ...pointers, dy.pointer, dx.pointer, ...extentsOf(x, attributes));
    return [dx];
  },
  lower(to, [x], record) {
    checkWholeSequences(record);
    const { heads, causal } = record.attributes;
    return to.attention(x, heads, causal);
  },
});

/** Options of `attention`. */
export interface AttentionOptions {
  readonly heads: number;
  /** Does a point see only itself and those before it? Default true. */
  readonly causal?: boolean;
}

const NAMES: NamesOf<AttentionOptions> = { heads: true, causal: true };

/**
 * Attention of every point to the points of its sequence: queries, keys and values beside each other, shape [3·width], → [width]; each head has its share of
 * the width. y_i = Σ_j softmax_j(⟨q_i, k_j⟩/√size)·v_j. Source: Vaswani and others 2017, §3.2.
 * @throws RangeError for rows that are no points of sequences, a width that the heads do not divide, or sequences that are too long
 */
export function attention(x: Tensor, options: AttentionOptions): Tensor {
  checkNames('attention', options, NAMES);
  const { heads, causal = true } = options;
  checkHeads('attention', x, heads, 3);
  return attentionOp(x, { ...sequencesOf('attention', x), heads, causal });
}
attention.definition = attentionOp.definition;

function checkHeads(name: string, x: Tensor, heads: number, parts: number): void {
  if (x.shape.length === 1 && Number.isInteger(heads) && heads >= 1 && x.columns % (parts * heads) === 0) return;
  throw new RangeError(
    `${name}: rows of the shape ${shapeText(x.shape)} do not hold ${parts} times ${heads} heads of equal size. Expected [${parts}·heads·size].`,
  );
}

interface Rotation {
  readonly plates: Plates;
  readonly size: number;
  readonly base: number;
}

const rotateOp = defineOp<Rotation>({
  name: 'rotary',
  indices: 1,
  causal: () => true,
  forward: (engine, [x, places, angles], { size }) => {
    const output = like(engine, x, 'rotated heads');
    const pointers = [x.pointer, angles.pointer, places.pointer, output.pointer] as const;
    engine.backend.run('rotatePairs', ...pointers, x.rows, x.columns, (2 * x.columns) / 3, size, 0);
    return { output };
  },
  pullback(engine, { inputs: [x, places, angles], attributes: { size } }, dy) {
    const output = like(engine, x, 'the gradient of rotated heads');
    const pointers = [dy.pointer, angles.pointer, places.pointer, output.pointer] as const;
    engine.backend.run('rotatePairs', ...pointers, x.rows, x.columns, (2 * x.columns) / 3, size, 1);
    return [output, null, null];
  },
  lower(to, [x, places], { attributes: { size, base } }) {
    const [columns] = x.shape;
    const [pairs, width] = [size / 2, columns / 3];
    // Queries and keys in pairs, and the same with every pair turned: (a, b) → (b, a).
    const shape = [(2 * width) / size, pairs, 2];
    const own = to.view(x, shape, [size, 2, 1]);
    const turned = to.view(x, shape, [size, 2, -1], 1);
    const frequencies = Float64Array.from({ length: pairs }, (_, pair) => rotaryFrequency(2 * pair, size, base));
    const angle = f.multiply(f.operand(2), f.operand(3));
    const rotated = to.elementwise(
      f.add(f.multiply(f.logit, f.cos(angle)), f.multiply(f.multiply(f.operand(1), f.operand(4)), f.sin(angle))),
      ...[own, turned, places, to.constant(frequencies, [pairs, 1]), to.constant([-1, 1], [2])],
    );
    return to.concatenate([to.reshape(rotated, [2 * width]), to.view(x, [width], [1], 2 * width)], 0);
  },
});

/** The angles of a pass, by size and base: one table for all layers. */
const known = new WeakMap<Plates, Map<string, Tensor>>();

function anglesOf({ tape, plate }: Tensor, size: number, base: number): Tensor {
  const { plates } = tape;
  let own = known.get(plates);
  if (!own) known.set(plates, (own = new Map()));
  const positions = plates.longestSequence(plate as NonNullable<typeof plate>);
  const key = `${positions} ${size} ${base}`;
  let table = own.get(key);
  if (!table) {
    const array = tape.engine.allocate([positions, 2 * size], 'the angles of positions');
    const { values } = array;
    for (let position = 0, at = 0; position < positions; position++, at += 2 * size)
      for (let c = 0; c < size; c++) {
        const angle = position * rotaryFrequency(c, size, base);
        values[at + c] = Math.cos(angle);
        values[at + size + c] = Math.sin(angle);
      }
    own.set(key, (table = tape.input(array)));
  }
  return table;
}

/** Radians a position of number c of a head. */
export const rotaryFrequency = (c: number, size: number, base: number): number => base ** (-(2 * (c >> 1)) / size);

/**
 * Rotary positions: the queries and keys of [queries | keys | values], shape [3·width], are turned by the point's place in its sequence, pair
 * by pair in every head, so that ⟨q_i, k_j⟩ depends on i − j. Source: Su and others 2021.
 * `base` of the frequencies: default 10,000.
 * @throws RangeError for rows that are no points of sequences, or heads of an odd size
 */
export function rotary(
  x: Tensor,
  { heads, base = 10_000 }: { readonly heads: number; readonly base?: number },
): Tensor {
  checkHeads('rotary', x, heads, 3);
  const size = x.columns / (3 * heads);
  if (size % 2 !== 0) throw new RangeError(`rotary: heads of ${size} numbers have no pairs. Expected an even size.`);
  const { plates } = sequencesOf('rotary', x);
  return rotateOp(x, positionsOf(x), anglesOf(x, size, base), { plates, size, base });
}
rotary.definition = rotateOp.definition;

const placesOp = defineOp<OfSequences>({
  name: 'places',
  causal: () => true,
  ignoresCotangent: () => true,
  forward(engine, _inputs, { plates, plate }) {
    const values = plates.positionsOf(plate);
    return { output: integersOnHeap(engine, values, [values.length]) };
  },
  pullback: () => [null],
  lower: (to) => to.reshape(to.place(), []),
});

/** The place of every point in its sequence, from 0 up, as whole numbers. Points that a gate opened keep theirs. */
export const positionsOf = (x: Tensor): Tensor => placesOp(x, sequencesOf('positions', x));
