import type { OpRecord } from './define-op.ts';
import { isWithin, type Plate, type Plates } from './plate.ts';
import type { Tensor } from './tensor.ts';

/** Parts of losses: one number a row of the tensor that they are a function of. */
export interface LossParts {
  readonly of: Tensor;
  readonly values: Float64Array;
}

/** The losses of the points of sequences, whose sums are the losses of the examples. */
export interface PointLosses {
  /** Of points. */
  readonly plate: Plate;
  /** What every row adds to the loss of its example, parts not counted. */
  readonly values: Float64Array;
  /** What the loss of a row was multiplied by to be added: of a mean, 1 over the points of its sequence. */
  readonly shares: Float64Array;
  readonly parts: readonly LossParts[];
  /** Records from this number on see no later point: what is computed there changes losses at and after its own point alone. */
  readonly from: number;
}

/**
 * The losses of points that a loss of examples is the sum of, and where in the trace every operation on the way to them is causal. Undefined
 * where the loss is no sum over points. Operations that do not say that they are causal are taken not to be.
 */
export function pointLossesOf(
  records: readonly OpRecord[],
  losses: Tensor,
  parts: readonly LossParts[],
): PointLosses | undefined {
  const at = records.findLastIndex(({ result }) => result === losses);
  const own = at < 0 ? undefined : records[at].op.terms?.(records[at]);
  const [x] = at < 0 ? [] : records[at].tensors;
  if (!own || !x.plate || x.plate.structure.kind !== 'points' || x.columns !== 1) return undefined;
  const needed = new Set([x, ...parts.map(({ of }) => of)]);
  let i = records.length - 1;
  for (; i >= 0; i--) {
    const { op, attributes, result, tensors } = records[i];
    if (!needed.has(result)) continue;
    if (!op.causal?.(attributes)) break;
    for (const tensor of tensors) needed.add(tensor);
  }
  const values = Float64Array.from(x.values, (loss, row) => loss * own[row]);
  return { plate: x.plate, values, shares: own, parts, from: i + 1 };
}

/**
 * Adds parts to losses: every number to the loss of its row. A part with one number a sequence stands at the last point, which all before it see.
 * @param sums one number a row of `all`, changed in place
 * @param parts of rows that belong to rows of `all`, or that rows of `all` belong to
 */
export function addParts(plates: Plates, all: Plate, sums: Float64Array, parts: readonly LossParts[]): void {
  for (const { of, values } of parts) {
    const plate = of.plate as Plate;
    if (isWithin(plate.structure, all.structure)) {
      const coarse = plates.at(all.structure, plate.depth);
      const perRow = new Float64Array(coarse.rows);
      plates.ownerRows(plate, coarse).forEach((owner, i) => {
        perRow[owner] += values[i];
      });
      // The rows of more draws repeat those of fewer.
      for (let row = 0; row < sums.length; row++) sums[row] += perRow[row % perRow.length];
      continue;
    }
    const offsets = plates.offsetsOf(all);
    const owners = plates.ownerRows(all, plate);
    for (let s = 0; s + 1 < offsets.length; s++)
      if (offsets[s + 1] > offsets[s]) sums[offsets[s + 1] - 1] += values[owners[offsets[s + 1] - 1]];
  }
}

/**
 * Of every row of points the losses at and after it, and `before` in place of those before it.
 * @param losses of points, rows of `plate`, all draws
 * @param before see `lossesBefore`
 */
export function lossesFrom(plates: Plates, plate: Plate, losses: Float64Array, before: Float64Array): Float64Array {
  const offsets = plates.offsetsOf(plate);
  const output = new Float64Array(losses.length);
  for (let s = 0; s + 1 < offsets.length; s++) {
    let rest = 0;
    for (let row = offsets[s + 1] - 1; row >= offsets[s]; row--) {
      rest += losses[row];
      output[row] = rest + before[row % before.length];
    }
  }
  return output;
}

/**
 * What stands in place of the losses before a point: what the other sequences of the step lost there on average, so that what a baseline has to
 * take off does not depend on the place. Before the first point where only one sequence comes, its own losses stand. Neither depends on what is
 * drawn at the point, given what was drawn before.
 * @param offsets of the sequences among the points
 * @param means losses averaged over the draws, one number a point
 * @param shares see `PointLosses`, one number a point
 */
export function lossesBefore(offsets: Int32Array, means: Float64Array, shares: Float64Array): Float64Array {
  const [sums, counts]: [number[], number[]] = [[], []];
  for (let s = 0; s + 1 < offsets.length; s++)
    for (let row = offsets[s], place = 0; row < offsets[s + 1]; row++, place++) {
      sums[place] = (sums[place] ?? 0) + means[row] / shares[row];
      counts[place] = (counts[place] ?? 0) + 1;
    }
  const output = new Float64Array(means.length);
  for (let s = 0; s + 1 < offsets.length; s++) {
    let before = 0;
    for (let row = offsets[s], place = 0; row < offsets[s + 1]; row++, place++) {
      output[row] = before;
      const own = means[row] / shares[row];
      before += shares[row] * (counts[place] === 1 ? own : (sums[place] - own) / (counts[place] - 1));
    }
  }
  return output;
}
