import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { SequenceDataset } from '../data/sequences.ts';
import { editDistance } from '../math/text.ts';
import { lstm } from '../nn/lstm.ts';
import type { Model } from '../nn/model.ts';
import { type LabelStrings, leastPoints, ctc as lossOf } from '../tensor/ops/sequences.ts';
import { softmax } from './link.ts';
import type { Task } from './task.ts';

/** What an epoch of reading sequences tells besides what all epochs do. Shares in [0, 1], nats a sequence. */
export interface CtcEpoch {
  /** Mean of −log P(labels), over all alignments, in nats a sequence. */
  readonly validLoss: number;
  /** Edit distance from what was read to the labels, summed, over the number of labels. */
  readonly validLabelError: number;
  /** Share of sequences with any mistake. */
  readonly validSequenceError: number;
  /** Share of open gates on the validation data. */
  readonly density: number;
}

/**
 * Strings of labels for sequences of points, by connectionist temporal classification; the model gives one logit a class and one for
 * the blank, at every point. Decoded by the best path: the best class at every point, repeats merged, blanks removed. Source: Graves et
 * al. 2006.
 */
export const ctc: Task<SequenceDataset, SequenceBatch, CtcEpoch> = {
  name: 'ctc',
  loss: { title: '−log P(labels)', unit: 'nats' },
  figures: {
    labelError: { title: 'label error', unit: 'share' },
    sequenceError: { title: 'sequences with an error', unit: 'share' },
  },
  data: 'sequences',
  points: ({ count, offsets }) => offsets[count] / count,
  // One a class, and the blank.
  outputs: ({ classes }) => classes + 1,
  layers: () => [lstm(64)],
  defaults: { optimizer: 'adam', batch: 1 },
  check: checkSequences,
  gather: gatherSequences,
  run(model, pass, { x, offsets, strings }) {
    const { tape } = pass;
    const output = model.apply(pass, tape.input(x, tape.plates.points(offsets)));
    tape.layer = 'loss';
    return { output, losses: lossOf(output, strings) };
  },
  measure({ output }, { rows, offsets, strings }) {
    const sums = { edits: 0, labels: strings.labels.length, wrong: 0 };
    for (let s = 0; s < rows; s++) {
      const read = bestPath(output, offsets[s], offsets[s + 1]);
      const labels = strings.labels.subarray(strings.offsets[s], strings.offsets[s + 1]);
      const distance = editDistance(String.fromCharCode(...read), String.fromCharCode(...labels));
      sums.edits += distance;
      if (distance > 0) sums.wrong++;
    }
    return sums;
  },
  // Without labels, every one that was read is a mistake too many.
  metrics: ({ edits, labels, wrong }, examples) => ({
    labelError: edits / Math.max(1, labels),
    sequenceError: wrong / examples,
  }),
  link: softmax,
  tell: (values, columns) => ({ labels: bestPath({ values, columns }, 0, values.length / columns) }),
  best: { metric: 'labelError', better: 'less' },
};

/** Sequences on the heap; valid until the next step. */
export interface SequenceBatch {
  /** Sequences. */
  readonly rows: number;
  /** The points of all sequences. */
  readonly x: NdArray;
  /** Where the points of every sequence begin. */
  readonly offsets: Int32Array;
  readonly strings: LabelStrings;
}

/** Puts the sequences with these indices on the heap, one after another, without padding. */
function gatherSequences(engine: Engine, data: SequenceDataset, indices: ArrayLike<number>): SequenceBatch {
  const chosen = Array.from(indices);
  const { width } = data;
  const offsets = startsOf(chosen.map((i) => data.offsets[i + 1] - data.offsets[i]));
  const places = startsOf(chosen.map((i) => data.labelOffsets[i + 1] - data.labelOffsets[i]));
  const x = engine.allocate([offsets[chosen.length], width], 'a minibatch of sequences');
  const labels = new Int32Array(places[chosen.length]);
  const { values } = x;
  chosen.forEach((i, s) => {
    values.set(data.features.subarray(data.offsets[i] * width, data.offsets[i + 1] * width), offsets[s] * width);
    labels.set(data.labels.subarray(data.labelOffsets[i], data.labelOffsets[i + 1]), places[s]);
  });
  return { rows: chosen.length, x, offsets, strings: { labels, offsets: places } };
}

function startsOf(lengths: readonly number[]): Int32Array {
  const starts = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    starts[i + 1] = starts[i] + length;
  });
  return starts;
}

/** Best path decoding of the rows from `from` to `to` (Graves et al. 2006, §3.2). */
function bestPath(
  { values, columns }: { readonly values: ArrayLike<number>; readonly columns: number },
  from: number,
  to: number,
): number[] {
  const read: number[] = [];
  let before = -1;
  for (let row = from; row < to; row++) {
    let best = 0;
    for (let c = 1; c < columns; c++) if (values[row * columns + c] > values[row * columns + best]) best = c;
    if (best !== before && best !== columns - 1) read.push(best);
    before = best;
  }
  return read;
}

/** @throws RangeError when the data's width or classes do not fit the model, or a sequence is too short for its labels */
function checkSequences(model: Model, data: SequenceDataset): void {
  const { name, width, classes, count, offsets, labels, labelOffsets } = data;
  if (width !== model.inputs)
    throw new RangeError(
      `The sequences "${name}" have ${width} features, the model takes ${model.inputs}. Expected \`inputs: ${width}\`.`,
    );
  if (model.outputs !== classes + 1)
    throw new RangeError(
      `The sequences "${name}" have ${classes} classes, the model's last layer has ${model.outputs} units. Expected ${classes + 1}: one a class, and the blank.`,
    );
  if (count === 0) throw new RangeError(`The sequences "${name}" are none.`);
  for (let i = 0; i < count; i++) {
    const points = offsets[i + 1] - offsets[i];
    const own = labels.subarray(labelOffsets[i], labelOffsets[i + 1]);
    const least = leastPoints(own);
    if (points < least)
      throw new RangeError(
        `Sequence ${i} of "${name}" has ${points} points. Expected ${least} or more for its ${own.length} labels.`,
      );
  }
}
