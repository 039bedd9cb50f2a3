import { sum } from '../math/statistics.ts';
import { meanOfRows, type SparsityPenalty } from './penalty.ts';

export const exampleRate: SparsityPenalty = {
  name: 'example-rate',
  source: 'E. Bengio, Bacon, Pineau, Precup 2015, §3.3, L_e',
  summary: 'L_e = mean_i |mean_j σ_ij − τ|: every example opens τ of the gates',
  on: 'probability',
  defaultWeight: () => 1,
  evaluate(values, rows, units, target, gradient, { weights }) {
    const distances = new Float64Array(rows);
    for (let r = 0; r < rows; r++) {
      const row = values.subarray(r * units, (r + 1) * units);
      const excess = sum(row) / units - target;
      distances[r] = Math.abs(excess);
      gradient.fill(Math.sign(excess) / (rows * units), r * units, (r + 1) * units);
    }
    return meanOfRows(distances, weights);
  },
  rowParts: (values, rows, units, target) =>
    Float64Array.from({ length: rows }, (_, r) =>
      Math.abs(sum(values.subarray(r * units, (r + 1) * units)) / units - target),
    ),
};
