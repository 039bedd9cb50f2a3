import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';

type Matrix = Float32Array | Float64Array;

const MARGIN = 0.01;

/** Further values that a penalty may read; no gradient flows into them. */
export interface PenaltyContext {
  /** What the gates emitted: rows × units, of several draws one after another. */
  readonly outputs: Matrix;
  /** Multiply-adds of every gate's block for one example; absent: all the same. */
  readonly costs?: ArrayLike<number> | undefined;
  /** What every row of the values weighs in means over the minibatch, as draws that weigh differently do; absent: all the same. */
  readonly weights?: ArrayLike<number> | undefined;
  /** The same of the rows of the outputs. */
  readonly outputWeights?: ArrayLike<number> | undefined;
}

/** The same on an engine, where all rows weigh the same. */
export interface PenaltyContextArrays {
  readonly outputs: NdArray;
  readonly costs?: ArrayLike<number> | undefined;
}

/**
 * A penalty on the gates of one layer: a function of a minibatch of their probabilities, outputs or logits (rows × units,
 * row-major), and of a target rate. Means and sums are over the examples of the minibatch, and values do not depend on how
 * many there are, so λ does not either. Layers are penalised each by itself: nothing is summed over layers.
 */
export interface SparsityPenalty {
  readonly name: string;
  /** Paper, equation. */
  readonly source: string;
  readonly summary: string;
  /**
   * What it is a function of: σ(logit), which needs gates in [0, 1]; what the gates emit; P(h ≠ 0), which the neuron must
   * declare (`opening`); or the logits.
   */
  readonly on: 'probability' | 'output' | 'opening' | 'logits';
  /** Is the target rate no part of it? Then a layer without a target may have it. */
  readonly untargeted?: true;
  /** Does it make sense only for gates that emit nothing under 0? */
  readonly nonNegative?: true;
  /** Default λ for a layer of `units` units. */
  defaultWeight(units: number): number;
  /**
   * The penalty without λ; its gradient is written into `gradient`. Where rows weigh differently, each row's is that of a row of the mean weight: what
   * sums over rows weighs them (see `Tape`).
   */
  evaluate(
    values: Matrix,
    rows: number,
    units: number,
    target: number,
    gradient: Matrix,
    context: PenaltyContext,
  ): number;
  /**
   * Each row's own part for what reads losses: a function of that row, the others' means held, whose gradient is rows times that of
   * `evaluate`. Absent where the penalty is linear in every row, given the means.
   */
  rowParts?(values: Matrix, rows: number, units: number, target: number, context: PenaltyContext): Float64Array;
  /** `evaluate` by kernels; absent if it is fast enough without. */
  run?(engine: Engine, values: NdArray, target: number, gradient: NdArray, context: PenaltyContextArrays): number;
  /** The next λ, from the share of gates that were open; absent where λ is constant. */
  adapt?(weight: number, openShare: number, target: number): number;
}

/** A function of the means of the gates over the minibatch: its value, and its slope at each mean. */
export type OfMeans = (
  means: Float64Array,
  target: number,
  costs: ArrayLike<number> | undefined,
) => { readonly value: number; readonly slopes: Float64Array };

/** Both forms of a penalty that is a function of the means of the gates. */
export function ofMeans(of: OfMeans): Required<Pick<SparsityPenalty, 'evaluate' | 'run'>> {
  const overRows = (slopes: Float64Array, rows: number) => slopes.map((slope) => slope / rows);
  return {
    evaluate(values, rows, units, target, gradient, { costs, weights }) {
      const { value, slopes } = of(columnMeans(values, rows, units, weights), target, costs);
      const row = overRows(slopes, rows);
      for (let r = 0; r < rows; r++) gradient.set(row, r * units);
      return value;
    },
    run(engine, values, target, gradient, { costs }) {
      const { rows, columns: units } = values;
      const sums = engine.allocate([units], 'sums of gates');
      engine.backend.run('columnSums', values.pointer, sums.pointer, rows, units);
      const means = new Float64Array(sums.values).map((sum) => sum / rows);
      const { value, slopes } = of(means, target, costs);
      const row = engine.tensor(overRows(slopes, rows));
      engine.backend.run('fillRows', row.pointer, gradient.pointer, rows, units, units);
      return value;
    },
  };
}

/** The parts of the rows in a penalty: see `SparsityPenalty.rowParts`. @param gradient what `evaluate` gave */
export function rowPartsOf(
  { rowParts }: SparsityPenalty,
  [values, gradient]: readonly [Matrix, Matrix],
  [rows, units]: readonly [number, number],
  target: number,
  context: PenaltyContext,
): Float64Array {
  if (rowParts) return rowParts(values, rows, units, target, context);
  const parts = new Float64Array(rows);
  for (let r = 0, i = 0; r < rows; r++) for (let j = 0; j < units; j++, i++) parts[r] += rows * gradient[i] * values[i];
  return parts;
}

/** Means of the columns of a matrix. @param weights of its rows; absent: all the same */
export function columnMeans(
  values: Matrix,
  rows: number,
  units: number,
  weights?: ArrayLike<number> | undefined,
): Float64Array {
  const means = new Float64Array(units);
  let total = 0;
  for (let r = 0, i = 0; r < rows; r++) {
    const weight = weights?.[r] ?? 1;
    total += weight;
    for (let j = 0; j < units; j++, i++) means[j] += weight * values[i];
  }
  for (let j = 0; j < units; j++) means[j] /= total;
  return means;
}

/** The mean of one number a row. @param weights of the rows; absent: all the same */
export const meanOfRows = (values: Float64Array, weights?: ArrayLike<number> | undefined): number =>
  columnMeans(values, values.length, 1, weights)[0];

/** λ ×1.1 while the open share is over the target + 0.01, ×0.9 while it is under the target − 0.01; within [1e-13, 1]. */
export function followRate(weight: number, openShare: number, target: number): number {
  const factor = openShare > target + MARGIN ? 1.1 : openShare < target - MARGIN ? 0.9 : 1;
  return Math.min(1, Math.max(1e-13, weight * factor));
}

/** CV² of the means, (standard deviation/mean)², 0 where all are 0. The same for sums and for means over the rows. */
export const squaredVariation: OfMeans = (means) => {
  const units = means.length;
  const total = means.reduce((sum, mean) => sum + mean, 0);
  const squares = means.reduce((sum, mean) => sum + mean * mean, 0);
  if (total === 0) return { value: 0, slopes: new Float64Array(units) };
  const ratio = (units * squares) / (total * total);
  return { value: ratio - 1, slopes: means.map((mean) => 2 * ((units * mean) / (total * total) - ratio / total)) };
};
