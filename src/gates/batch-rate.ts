import { ofMeans, type SparsityPenalty } from './penalty.ts';

export const batchRate: SparsityPenalty = {
  name: 'batch-rate',
  source: 'E. Bengio, Bacon, Pineau, Precup 2015, §3.3, L_b',
  summary: 'L_b = Σ_j |mean_i σ_ij − τ|: every gate open on τ of the examples',
  on: 'probability',
  defaultWeight: (units) => 1.5 / units,
  ...ofMeans((means, target) => ({
    value: means.reduce((sum, mean) => sum + Math.abs(mean - target), 0),
    slopes: means.map((mean) => Math.sign(mean - target)),
  })),
};
