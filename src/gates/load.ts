import { ofMeans, type SparsityPenalty, squaredVariation } from './penalty.ts';

export const load: SparsityPenalty = {
  name: 'load',
  source: 'Shazeer et al. 2017, appendix A, Eq. 8–11 (w_load 0.1)',
  summary: 'CV(ℓ)², ℓ_j = Σ_examples P(h_ij ≠ 0): how many examples each gate takes should be the same for all',
  on: 'opening',
  untargeted: true,
  defaultWeight: () => 0.1,
  ...ofMeans(squaredVariation),
};
