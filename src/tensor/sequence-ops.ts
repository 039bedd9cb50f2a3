/** Operations on sequences whose rows are points in time: rows of the operation table (see ops.ts). */

import type { Engine } from '../backend/engine.ts';
import { flip, operand, product } from '../backend/matrix.ts';
import { NdArray } from '../backend/nd-array.ts';
import { fitsScratch, leastPoints } from '../kernels/ctc.ts';
import { SCRATCH_BYTES } from '../kernels/kernel.ts';
import { op } from './op.ts';

/** Where sequences begin, as whole numbers on the heap: sequence s has the rows offsets[s] up to, not including, offsets[s + 1]. */
export interface Sequences {
  readonly count: number;
  /** count + 1 whole numbers that do not fall, from 0 to the number of rows. */
  readonly offsets: NdArray;
}

/** A string of whole-number labels for every sequence, one after another. */
export interface LabelStrings {
  readonly labels: NdArray;
  /** count + 1 whole numbers: the labels of sequence s are labels[offsets[s]] up to, not including, labels[offsets[s + 1]]. */
  readonly offsets: NdArray;
}

/** Whole numbers on the arena, for offsets and labels. */
export function wholeNumbers({ backend: { heap } }: Engine, values: ArrayLike<number>): NdArray {
  const pointer = heap.allocate(values.length, 'whole numbers');
  heap.memory.integers(pointer, values.length).set(values);
  return new NdArray(heap, pointer, [values.length]);
}

const integersOf = ({ backend: { heap } }: Engine, { pointer, size }: NdArray) => heap.memory.integers(pointer, size);

export const sequenceOps = {
  /** x (rows × 4·units: inputs·W + bias) and recurrent weights (units × 4·units) → h, rows × units. See kernels/lstm.ts. */
  lstm: op<{ sequences: Sequences; backwards: boolean }>({
    forward(engine, [x, recurrent], { sequences: { count, offsets }, backwards }) {
      const units = recurrent.rows;
      if (recurrent.columns !== 4 * units || x.columns !== 4 * units)
        throw new RangeError(
          `lstm: recurrent weights of ${units}×${recurrent.columns} do not fit rows of ${x.columns}; units×4·units and 4·units would do.`,
        );
      if (16 * units > SCRATCH_BYTES)
        throw new RangeError(`lstm: ${units} units; at most ${SCRATCH_BYTES / 16} would do.`);
      checkOffsets(engine, 'lstm', offsets, count, x.rows);
      const array = (columns: number, purpose: string) => engine.allocate([x.rows, columns], purpose);
      const gates = array(4 * units, 'the gates of an LSTM');
      const cells = array(units, 'the cells of an LSTM');
      const output = array(units, 'the output of an LSTM');
      const previous = array(units, 'the previous output of an LSTM');
      const made = [gates.pointer, cells.pointer, output.pointer, previous.pointer] as const;
      engine.backend.run(
        'lstm',
        x.pointer,
        recurrent.pointer,
        offsets.pointer,
        ...made,
        count,
        units,
        Number(backwards),
      );
      return { output, saved: [gates, cells, previous] };
    },
    pullback(engine, { inputs: [x, recurrent], attributes, saved: [gates, cells, previous], needs }, dy) {
      const { sequences, backwards } = attributes;
      const dx = engine.allocate(x.shape, 'the gradient of an LSTM');
      const pointers = [
        dy.pointer,
        recurrent.pointer,
        sequences.offsets.pointer,
        gates.pointer,
        cells.pointer,
      ] as const;
      const extents = [sequences.count, recurrent.rows, Number(backwards)] as const;
      engine.backend.run('lstmPullback', ...pointers, dx.pointer, ...extents);
      return [dx, needs[1] ? product(engine, flip(operand(previous, false)), operand(dx, false)) : null];
    },
  }),

  /** The columns of a, then those of b. */
  joinColumns: op<Record<string, never>>({
    forward(engine, [a, b]) {
      if (a.rows !== b.rows) throw new RangeError(`joinColumns: ${a.rows} and ${b.rows} rows do not fit.`);
      const width = a.columns + b.columns;
      const output = engine.allocate([a.rows, width], 'joined columns');
      engine.backend.run('copyColumns', a.pointer, output.pointer, a.rows, a.columns, a.columns, 0, width, 0);
      engine.backend.run('copyColumns', b.pointer, output.pointer, b.rows, b.columns, b.columns, 0, width, a.columns);
      return { output };
    },
    pullback(engine, { inputs: [a, b] }, dy) {
      return [a, b].map(({ shape, rows, columns }, i) => {
        const part = engine.allocate(shape, 'the gradient of joined columns');
        const first = i === 0 ? 0 : a.columns;
        engine.backend.run('copyColumns', dy.pointer, part.pointer, rows, columns, dy.columns, first, columns, 0);
        return part;
      });
    },
  }),

  /** Logits (rows × classes and a blank) → −log P(labels), one loss a sequence, in nats. See kernels/ctc.ts. */
  ctc: op<{ sequences: Sequences; strings: LabelStrings }>({
    forward(engine, [logits], { sequences: { count, offsets }, strings }) {
      checkOffsets(engine, 'ctc', offsets, count, logits.rows);
      checkOffsets(engine, 'ctc', strings.offsets, count, strings.labels.size, 'labels');
      checkStrings(engine, logits.columns, offsets, strings);
      const output = engine.allocate([count], 'the losses of sequences');
      const gradient = engine.allocate(logits.shape, 'the gradient of CTC');
      const places = [offsets.pointer, strings.labels.pointer, strings.offsets.pointer] as const;
      engine.backend.run('ctc', logits.pointer, ...places, output.pointer, gradient.pointer, count, logits.columns);
      return { output, saved: [gradient] };
    },
    pullback(engine, { attributes: { sequences }, saved: [gradient] }, dy) {
      const output = engine.allocate(gradient.shape, 'the gradient of the logits');
      const pointers = [gradient.pointer, sequences.offsets.pointer, dy.pointer, output.pointer] as const;
      engine.backend.run('scaleSequences', ...pointers, sequences.count, gradient.columns);
      return [output];
    },
  }),
} as const;

/** @throws RangeError unless the offsets are count + 1 numbers that rise from 0 to `total` */
function checkOffsets(
  engine: Engine,
  name: string,
  offsets: NdArray,
  count: number,
  total: number,
  what = 'rows',
): void {
  const marks = integersOf(engine, offsets);
  const ordered = marks.every((mark, i) => i === 0 || mark >= marks[i - 1]);
  if (marks.length !== count + 1 || marks[0] !== 0 || marks[count] !== total || !ordered)
    throw new RangeError(
      `${name}: the offsets [${marks.slice(0, 8).join(', ')}${marks.length > 8 ? ', …' : ''}] do not divide ${total} ${what} among ${count} sequences.`,
    );
}

/** @throws RangeError for a label that is no class, or a sequence too short, or too long, for its labels */
function checkStrings(engine: Engine, columns: number, offsets: NdArray, strings: LabelStrings): void {
  const [marks, rows, places] = [strings.labels, offsets, strings.offsets].map((tensor) => integersOf(engine, tensor));
  const wrong = marks.findIndex((label) => !(label >= 0 && label < columns - 1));
  if (wrong >= 0)
    throw new RangeError(
      `ctc: label ${marks[wrong]} at ${wrong} is not one of ${columns - 1} classes (the last is blank).`,
    );
  for (let s = 0; s + 1 < rows.length; s++) {
    const points = rows[s + 1] - rows[s];
    const least = leastPoints(marks.subarray(places[s], places[s + 1]));
    const labels = places[s + 1] - places[s];
    if (points < least)
      throw new RangeError(`ctc: sequence ${s} has ${points} points; its ${labels} labels need ${least} or more.`);
    if (!fitsScratch(points, labels, columns))
      throw new RangeError(
        `ctc: sequence ${s} of ${points} points and ${labels} labels is too long for ${SCRATCH_BYTES} bytes.`,
      );
  }
}
