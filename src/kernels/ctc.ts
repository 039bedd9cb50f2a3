import { kernel, SCRATCH_BYTES } from './kernel.ts';

/**
 * Connectionist temporal classification (Graves, Fernández, Gomez, Schmidhuber 2006): the probability that a net which tells a
 * class or "blank" at every point in time reads a sequence as a given string of labels, summed over all alignments. A path is
 * read by merging repeats and then removing blanks. The blank is the last column.
 *
 * Rows of logits are points in time: sequence s has the rows offsets[s] up to, not including, offsets[s + 1], and the labels
 * labels[labelOffsets[s]] up to labels[labelOffsets[s + 1]]. A sequence needs at least `leastPoints` points.
 */

/** The fewest points in time that can be read as these labels: one a label, and a blank between equal neighbours. */
export function leastPoints(labels: ArrayLike<number>): number {
  let least = Math.max(1, labels.length);
  for (let i = 1; i < labels.length; i++) if (labels[i] === labels[i - 1]) least++;
  return least;
}

/** Float64 numbers that a sequence is worked on in: normalizers, α, β of two points, one a class. */
export const roomOf = (points: number, labels: number, columns: number): number =>
  points + (points + 2) * (2 * labels + 1) + columns;

/** Does that fit a thread's scratch memory? */
export const fitsScratch = (numbers: number): boolean => 8 * numbers <= SCRATCH_BYTES;

const logAdd = (a: number, b: number): number => {
  const high = Math.max(a, b);
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log(Math.exp(a - high) + Math.exp(b - high));
};

/** log softmax of a row. */
function logSoftmax(row: Float64Array): Float64Array {
  const high = Math.max(...row);
  const logSum = high + Math.log(row.reduce((sum, x) => sum + Math.exp(x - high), 0));
  return row.map((x) => x - logSum);
}

/** α of Eq. 5–8 as logarithms: points × states. Backwards in time and label it gives β·y. */
function forwardVariables(logs: readonly Float64Array[], classes: readonly number[]): Float64Array[] {
  const alpha: Float64Array[] = [];
  logs.forEach((row, t) => {
    alpha.push(
      Float64Array.from(classes, (class_, state) => {
        if (t === 0) return state < 2 ? row[class_] : Number.NEGATIVE_INFINITY;
        let sum = alpha[t - 1][state];
        if (state > 0) sum = logAdd(sum, alpha[t - 1][state - 1]);
        // From the label before, past the blank between: only where the two differ.
        if (state % 2 === 1 && state > 1 && class_ !== classes[state - 2]) sum = logAdd(sum, alpha[t - 1][state - 2]);
        return sum + row[class_];
      }),
    );
  });
  return alpha;
}

/**
 * losses[s] = −log P(labels of s | logits) in nats (Eq. 12); gradient[r, k] = ∂losses[s]/∂logits[r, k] (Eq. 16). A sequence is worked on at
 * roomAt[s] of `room`, in 4-byte elements, an even number; in a thread's scratch memory where that is −1.
 */
export const ctc = kernel({
  parameters: [
    'logits*',
    'offsets#',
    'labels#',
    'labelOffsets#',
    'losses*',
    'gradient*',
    'room*',
    'roomAt#',
    'sequences',
    'columns',
  ],
  items: (_logits, _offsets, _labels, _labelOffsets, _losses, _gradient, _room, _roomAt, sequences) => sequences,
  grain: () => 1,
  define(memory, logits, offsets, labels, labelOffsets, losses, gradient, _room, _roomAt, sequences, columns) {
    for (let s = 0; s < sequences; s++) {
      const [from, to] = [memory[offsets + s], memory[offsets + s + 1]];
      const own = memory.subarray(labels + memory[labelOffsets + s], labels + memory[labelOffsets + s + 1]);
      const blank = columns - 1;
      const classes = [blank, ...Array.from(own).flatMap((label) => [label, blank])];
      const logs = Array.from({ length: to - from }, (_, t) =>
        logSoftmax(memory.slice(logits + (from + t) * columns, logits + (from + t + 1) * columns)),
      );
      const alpha = forwardVariables(logs, classes);
      const behind = forwardVariables(logs.toReversed(), classes.toReversed());
      const last = alpha[alpha.length - 1];
      const total = classes.length === 1 ? last[0] : logAdd(last[classes.length - 1], last[classes.length - 2]);
      memory[losses + s] = -total;
      logs.forEach((row, t) => {
        const posterior = new Float64Array(columns);
        classes.forEach((class_, state) => {
          const through = alpha[t][state] + behind[to - from - 1 - t][classes.length - 1 - state] - row[class_];
          posterior[class_] += Math.exp(through - total);
        });
        for (let k = 0; k < columns; k++) memory[gradient + (from + t) * columns + k] = Math.exp(row[k]) - posterior[k];
      });
    }
  },
});

/** out[r, k] = factors[s]·x[r, k] for the rows r of sequence s */
export const scaleSequences = kernel({
  parameters: ['x*', 'offsets#', 'factors*', 'out*', 'sequences', 'columns'],
  items: (_x, _offsets, _factors, _out, sequences) => sequences,
  grain: () => 16,
  define(memory, x, offsets, factors, out, sequences, columns) {
    for (let s = 0; s < sequences; s++)
      for (let i = memory[offsets + s] * columns; i < memory[offsets + s + 1] * columns; i++)
        memory[out + i] = memory[factors + s] * memory[x + i];
  },
});
