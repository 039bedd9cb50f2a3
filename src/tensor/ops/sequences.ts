/** Operations on sequences, whose rows are points in time. */
import type { Engine } from '../../backend/engine.ts';
import { flip, operand, product } from '../../backend/matrix.ts';
import { fitsScratch, leastPoints, roomOf } from '../../kernels/ctc.ts';
import { SCRATCH_BYTES } from '../../kernels/kernel.ts';
import { defineOp, type OpRecord } from '../define-op.ts';
import { ExportError } from '../export-error.ts';
import type { Plate, Plates } from '../plate.ts';
import type { Tensor } from '../tensor.ts';

/** A string of whole-number labels for every sequence, one after another. */
export interface LabelStrings {
  readonly labels: Int32Array;
  /** One number more than sequences: the labels of sequence s are labels[offsets[s]] up to, not including, labels[offsets[s + 1]]. */
  readonly offsets: Int32Array;
}

export { leastPoints };

/** Rows that are points of sequences. */
export interface OfSequences {
  readonly plates: Plates;
  readonly plate: Plate;
}

/** @throws RangeError unless the rows are points of sequences */
export function sequencesOf(name: string, { tape, plate }: Tensor): OfSequences {
  if (plate && tape.plates.sequencesOf(plate)) return { plates: tape.plates, plate };
  throw new RangeError(
    `${name}${tape.layer ? ` in "${tape.layer}"` : ''} reads sequences, and ${tape.plates.describe(plate)} were given. Expected points of sequences.`,
  );
}

/** @throws ExportError where the points of a sequence are those that a gate opened: exports run all rows alike */
export function checkWholeSequences({ op, layer, behindGate }: Pick<OpRecord, 'op' | 'layer' | 'behindGate'>): void {
  if (behindGate)
    throw new ExportError(
      `The operation "${op.name}" in "${layer}" cannot be exported: it reads the points that a gate opened. Expected it outside of parts.`,
    );
}

/** How many sequences, draws counted. */
export const countOf = ({ plates, plate }: OfSequences): number => plates.sequencesOf(plate)?.rows ?? 0;

/**
 * A layer of long short-term memory: x (shape [4·units]: inputs·W + bias) and recurrent weights ([units, 4·units]) → h, shape
 * [units]. See kernels/lstm.ts. @param backwards reads from the last point to the first
 * @throws RangeError for shapes that do not fit, or rows that are no points of sequences
 */
export const lstm = (x: Tensor, recurrent: Tensor, { backwards = false } = {}): Tensor =>
  lstmOp(x, recurrent, { ...sequencesOf('lstm', x), backwards });

const lstmOp = defineOp<OfSequences & { readonly backwards: boolean }>({
  name: 'lstm',
  causal: ({ backwards }) => !backwards,
  plates: (_inputs, { plate }) => ({ inputs: [plate, undefined], output: plate }),
  cost: ([x, recurrent]) => x.rows * recurrent.size,
  forward(engine, [x, recurrent], { backwards, ...sequences }) {
    const units = recurrent.rows;
    if (recurrent.columns !== 4 * units || x.columns !== 4 * units)
      throw new RangeError(
        `lstm: recurrent weights of ${units}×${recurrent.columns} do not fit rows of ${x.columns}. Expected units×4·units and 4·units.`,
      );
    if (16 * units > SCRATCH_BYTES)
      throw new RangeError(`lstm: ${units} units. Expected at most ${SCRATCH_BYTES / 16}.`);
    const array = (columns: number, purpose: string) => engine.allocate([x.rows, columns], purpose);
    const gates = array(4 * units, 'the gates of an LSTM');
    const cells = array(units, 'the cells of an LSTM');
    const output = array(units, 'the output of an LSTM');
    const previous = array(units, 'the previous output of an LSTM');
    const offsets = sequences.plates.offsetsOnHeap(sequences.plate);
    const made = [gates.pointer, cells.pointer, output.pointer, previous.pointer] as const;
    const extents = [countOf(sequences), units, Number(backwards)] as const;
    engine.backend.run('lstm', x.pointer, recurrent.pointer, offsets, ...made, ...extents);
    return { output, saved: [gates, cells, previous] };
  },
  pullback(engine, { inputs: [x, recurrent], attributes, saved: [gates, cells, previous], needs }, dy) {
    const { backwards, ...sequences } = attributes;
    const dx = engine.allocate(x.shape, 'the gradient of an LSTM');
    const offsets = sequences.plates.offsetsOnHeap(sequences.plate);
    const pointers = [dy.pointer, recurrent.pointer, offsets, gates.pointer, cells.pointer] as const;
    const extents = [countOf(sequences), recurrent.rows, Number(backwards)] as const;
    engine.backend.run('lstmPullback', ...pointers, dx.pointer, ...extents);
    return [dx, needs[1] ? product(engine, flip(operand(previous, false)), operand(dx, false)) : null];
  },
  lower(to, [x, recurrent], record) {
    checkWholeSequences(record);
    return to.lstm(x, recurrent, record.attributes.backwards);
  },
});

/**
 * Connectionist temporal classification: logits of points (shape [classes + 1], the last one blank) → −log P(labels), one number a
 * sequence, in nats. See kernels/ctc.ts. Source: Graves et al. 2006.
 * @param strings the labels of every sequence
 * @throws RangeError for a label that is no class, a sequence that is too short or too long for its labels, or rows that are no points
 */
export function ctc(logits: Tensor, strings: LabelStrings): Tensor {
  const sequences = sequencesOf('ctc', logits);
  const [count, given] = [sequences.plate.structure.offsets?.length ?? 1, strings.offsets.length];
  if (count !== given)
    throw new RangeError(
      `ctc: ${given - 1} strings of labels were given for ${count - 1} sequences. Expected one each.`,
    );
  return ctcOp(logits, { ...sequences, strings: repeated(strings, countOf(sequences)) });
}

const ctcOp = defineOp<OfSequences & { readonly strings: LabelStrings }>({
  name: 'ctc',
  plates: (_inputs, { plate, plates }) => ({ inputs: [plate], output: plates.over(plate) }),
  forward(engine, [logits], { strings, ...sequences }) {
    const count = countOf(sequences);
    const rows = sequences.plates.offsetsOf(sequences.plate);
    checkStrings(logits.columns, rows, strings);
    const output = engine.allocate([count], 'the losses of sequences');
    const gradient = engine.allocate(logits.shape, 'the gradient of CTC');
    const offsets = sequences.plates.offsetsOnHeap(sequences.plate);
    const places = [offsets, wholeNumbers(engine, strings.labels), wholeNumbers(engine, strings.offsets)] as const;
    const made = [output.pointer, gradient.pointer, ...roomFor(engine, logits.columns, rows, strings)] as const;
    engine.backend.run('ctc', logits.pointer, ...places, ...made, count, logits.columns);
    return { output, saved: [gradient] };
  },
  pullback(engine, { attributes: sequences, saved: [gradient] }, dy) {
    const output = engine.allocate(gradient.shape, 'the gradient of the logits');
    const offsets = sequences.plates.offsetsOnHeap(sequences.plate);
    const pointers = [gradient.pointer, offsets, dy.pointer, output.pointer] as const;
    engine.backend.run('scaleSequences', ...pointers, countOf(sequences), gradient.columns);
    return [output];
  },
});

/** Strings once for every draw, `count` of them in all. */
function repeated({ labels, offsets }: LabelStrings, count: number): LabelStrings {
  const own = offsets.length - 1;
  if (count === own) return { labels, offsets };
  const [times, length] = [count / own, offsets[own]];
  const all = { labels: new Int32Array(times * length), offsets: new Int32Array(count + 1) };
  for (let draw = 0; draw < times; draw++) {
    all.labels.set(labels.subarray(0, length), draw * length);
    for (let s = 1; s <= own; s++) all.offsets[draw * own + s] = draw * length + offsets[s];
  }
  return all;
}

/** Whole numbers on this step's heap. @returns their pointer */
function wholeNumbers({ backend: { heap } }: Engine, values: Int32Array): number {
  const pointer = heap.allocate(values.length, 'whole numbers');
  heap.memory.integers(pointer, values.length).set(values);
  return pointer;
}

/** @throws RangeError for a label that is no class, or a sequence too short for its labels */
function checkStrings(columns: number, rows: Int32Array, { labels: marks, offsets: places }: LabelStrings): void {
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
  }
}

/** Memory of this step for the sequences that a thread's scratch memory does not hold. @returns pointers to it, and to the place of each */
function roomFor(
  engine: Engine,
  columns: number,
  rows: Int32Array,
  { offsets }: LabelStrings,
): readonly [room: number, roomAt: number] {
  let used = 0;
  const places = Int32Array.from({ length: rows.length - 1 }, (_, s) => {
    const numbers = roomOf(rows[s + 1] - rows[s], offsets[s + 1] - offsets[s], columns);
    if (fitsScratch(numbers)) return -1;
    const at = used;
    used += 2 * numbers;
    return at;
  });
  const room = engine.backend.heap.allocate(used, 'the alignments of long sequences');
  return [room, wholeNumbers(engine, places)];
}
