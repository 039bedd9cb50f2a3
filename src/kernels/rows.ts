import { kernel } from './kernel.ts';

/** Rows that a thread takes at a time, so that a part has about 16,384 elements. */
export const rowGrain = (columns: number): number => Math.max(1, Math.ceil(16384 / Math.max(1, columns)));
/** Columns that one work item of a column kernel covers: one cache line. */
export const COLUMN_GROUP = 16;

/** out[r, c] = x[r, c] + bias[c] */
export const addBias = kernel({
  parameters: ['x*', 'bias*', 'out*', 'rows', 'columns'],
  items: (_x, _bias, _out, rows) => rows,
  grain: (_x, _bias, _out, _rows, columns) => rowGrain(columns),
  define(memory, x, bias, out, rows, columns) {
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) memory[out + r * columns + c] = memory[x + r * columns + c] + memory[bias + c];
  },
});

/** out[r, c] = row[c], with rows of out `stride` elements apart */
export const fillRows = kernel({
  parameters: ['row*', 'out*', 'rows', 'columns', 'stride'],
  items: (_row, _out, rows) => rows,
  grain: (_row, _out, _rows, columns) => rowGrain(columns),
  define(memory, row, out, rows, columns, stride) {
    for (let r = 0; r < rows; r++) memory.copyWithin(out + r * stride, row, row + columns);
  },
});

/** out[c] = Σ_r x[r, c] */
export const columnSums = kernel({
  parameters: ['x*', 'out*', 'rows', 'columns'],
  items: (_x, _out, _rows, columns) => Math.ceil(columns / COLUMN_GROUP),
  grain: (_x, _out, rows) => rowGrain(COLUMN_GROUP * rows),
  define(memory, x, out, rows, columns) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += memory[x + r * columns + c];
      memory[out + c] = sum;
    }
  },
});

/** out[c] = Σ_r weight[r]·[x[r, c] ≠ 0]; weights 0: one each */
export const countNonzero = kernel({
  parameters: ['x*', 'weights*', 'out*', 'rows', 'columns'],
  items: (_x, _weights, _out, _rows, columns) => Math.ceil(columns / COLUMN_GROUP),
  grain: (_x, _weights, _out, rows) => rowGrain(COLUMN_GROUP * rows),
  define(memory, x, weights, out, rows, columns) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let r = 0; r < rows; r++)
        if (memory[x + r * columns + c] !== 0) sum += weights === 0 ? 1 : memory[weights + r];
      memory[out + c] = sum;
    }
  },
});

/**
 * probabilities = softmax(logits) by row; losses[r] = −log probabilities[r, label[r]] (natural logarithm). A logit of −∞ has the probability 0, and
 * the loss ∞ where it is the label's; a row of −∞ alone gives NaN, as NaN and +∞ do.
 */
export const softmaxCrossEntropy = kernel({
  parameters: ['logits*', 'labels#', 'losses*', 'probabilities*', 'rows', 'columns'],
  items: (_logits, _labels, _losses, _probabilities, rows) => rows,
  grain: (_logits, _labels, _losses, _probabilities, _rows, columns) => rowGrain(4 * columns),
  define(memory, logits, labels, losses, probabilities, rows, columns) {
    for (let r = 0; r < rows; r++) {
      const row = memory.subarray(logits + r * columns, logits + (r + 1) * columns);
      const largest = Math.max(...row);
      const logSum = largest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0));
      for (let c = 0; c < columns; c++) memory[probabilities + r * columns + c] = Math.exp(row[c] - logSum);
      memory[losses + r] = logSum - row[memory[labels + r]];
    }
  },
});

/** out[r, c] = (probabilities[r, c] − [c = label[r]])·cotangent[r] */
export const softmaxCrossEntropyPullback = kernel({
  parameters: ['probabilities*', 'labels#', 'cotangent*', 'out*', 'rows', 'columns'],
  items: (_probabilities, _labels, _cotangent, _out, rows) => rows,
  grain: (_probabilities, _labels, _cotangent, _out, _rows, columns) => rowGrain(columns),
  define(memory, probabilities, labels, cotangent, out, rows, columns) {
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        const target = c === memory[labels + r] ? 1 : 0;
        memory[out + r * columns + c] = (memory[probabilities + r * columns + c] - target) * memory[cotangent + r];
      }
  },
});
