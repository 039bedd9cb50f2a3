type Matrix = Float32Array | Float64Array;

/**
 * A sparsity penalty: a function of a minibatch of gate probabilities or outputs (rows × units, row-major) with a target
 * rate. Values are means over the examples, so that λ does not depend on the batch size.
 */
export interface SparsityPenalty {
  readonly name: string;
  /** Paper, equation. */
  readonly source: string;
  readonly summary: string;
  /** What it is a function of: σ(logit), which needs gates in [0, 1], or what the gates emit. */
  readonly on: 'probability' | 'output';
  /** λ for so many units, unless the user gives one. */
  defaultWeight(units: number): number;
  /** The unweighted penalty; its gradient is written into `gradient`. */
  evaluate(values: Matrix, rows: number, units: number, target: number, gradient: Matrix): number;
  /** The next λ, from the share of gates that were open; absent where λ is constant. */
  adapt?(weight: number, openShare: number, target: number): number;
}

/** Means of the columns of a matrix. */
export function columnMeans(values: Matrix, rows: number, units: number): Float64Array {
  const means = new Float64Array(units);
  for (let r = 0, i = 0; r < rows; r++) for (let j = 0; j < units; j++, i++) means[j] += values[i];
  for (let j = 0; j < units; j++) means[j] /= rows;
  return means;
}

/** Writes the same row of numbers into every row of a matrix. */
export function fillRows(matrix: Matrix, rows: number, row: Float64Array): void {
  for (let r = 0; r < rows; r++) matrix.set(row, r * row.length);
}
