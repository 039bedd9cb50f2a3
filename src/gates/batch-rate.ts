import { columnMeans, fillRows, type SparsityPenalty } from './penalty.ts';

export const batchRate: SparsityPenalty = {
  name: 'batch-rate',
  source: 'E. Bengio, Bacon, Pineau, Precup 2015, §3.3, L_b',
  summary: 'L_b = Σ_j |mean_i σ_ij − τ|: every gate open on τ of the examples',
  on: 'probability',
  defaultWeight: (units) => 1.5 / units,
  evaluate(values, rows, units, target, gradient) {
    const means = columnMeans(values, rows, units);
    const row = means.map((mean) => Math.sign(mean - target) / rows);
    fillRows(gradient, rows, row);
    return means.reduce((sum, mean) => sum + Math.abs(mean - target), 0);
  },
};
