import { sum } from '../math/statistics.ts';
import { columnMeans, meanOfRows, type PenaltyContext, type SparsityPenalty } from './penalty.ts';

/**
 * The paper opens one gate an example, so its f sums to 1. Here f_j is a share of all openings, which is the same for one, and
 * so the value is 1 at balance for any number of open gates. Only P has a gradient.
 */
export const switchBalance: SparsityPenalty = {
  name: 'switch',
  source: 'Fedus, Zoph, Shazeer 2021, "Switch Transformers", §2.2, Eq. 4–6 (α 0.01)',
  summary: 'N·Σ_j f_j·P_j: f_j the share of the openings that are gate j’s, P_j the batch mean of softmax(a)_j',
  on: 'logits',
  untargeted: true,
  defaultWeight: () => 0.01,
  evaluate(values, rows, units, _target, gradient, { outputs, weights, outputWeights }) {
    const opened = sharesOpen(outputs, units, outputWeights);
    const total = sum(opened);
    const dots = new Float64Array(rows);
    for (let r = 0, from = 0; r < rows; r++, from += units) {
      const p = softmax(Float64Array.from(values.subarray(from, from + units)));
      const dot = p.reduce((sum, pj, j) => sum + (total === 0 ? 0 : (opened[j] / total) * pj), 0);
      for (let j = 0; j < units; j++)
        gradient[from + j] = total === 0 ? 0 : (units * p[j] * (opened[j] / total - dot)) / rows;
      dots[r] = units * dot;
    }
    return meanOfRows(dots, weights);
  },
  rowParts(values, rows, units, _target, { outputs, outputWeights }) {
    const opened = sharesOpen(outputs, units, outputWeights);
    const total = sum(opened);
    return Float64Array.from({ length: rows }, (_, r) => {
      const p = softmax(Float64Array.from(values.subarray(r * units, (r + 1) * units)));
      return total === 0 ? 0 : units * p.reduce((dot, pj, j) => dot + (opened[j] / total) * pj, 0);
    });
  },
  run(engine, logits, _target, gradient, { outputs }) {
    const { rows, columns: units } = logits;
    const counts = engine.allocate([units], 'counts of open gates');
    engine.backend.run('countNonzero', outputs.pointer, 0, counts.pointer, outputs.rows, units);
    const opened = counts.values;
    const total = sum(opened);
    if (total > 0) for (let j = 0; j < units; j++) opened[j] /= total;
    const values = engine.allocate([rows], 'the balance of rows');
    engine.backend.run('switchBalance', logits.pointer, counts.pointer, gradient.pointer, values.pointer, rows, units);
    return sum(values.values);
  },
};

const sharesOpen = (outputs: PenaltyContext['outputs'], units: number, weights?: ArrayLike<number>): Float64Array =>
  columnMeans(
    outputs.map((h) => (h === 0 ? 0 : 1)),
    outputs.length / units,
    units,
    weights,
  );

function softmax(logits: Float64Array): Float64Array {
  const top = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const powers = logits.map((logit) => Math.exp(logit - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
