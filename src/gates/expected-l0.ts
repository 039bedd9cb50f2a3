import { followRate, ofMeans, type SparsityPenalty } from './penalty.ts';

/** In the paper λ is constant: so it is in a layer without a target rate. With one, λ follows the open share as L1's does. */
export const expectedL0: SparsityPenalty = {
  name: 'expected-l0',
  source: 'Louizos, Welling, Kingma 2018, §2 (the expected L0 norm of the gates, in closed form for the hard concrete)',
  summary: 'mean_examples Σ_i P(h_i ≠ 0), for hard-concrete Σ_i σ(a_i − β·log(−γ/ζ)); λ ×1.1 or ×0.9 toward a target',
  on: 'opening',
  untargeted: true,
  defaultWeight: (units) => 0.1 / units,
  ...ofMeans((means) => ({
    value: means.reduce((sum, mean) => sum + mean, 0),
    slopes: new Float64Array(means.length).fill(1),
  })),
  adapt: followRate,
};
