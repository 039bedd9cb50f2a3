import { ofMeans, type SparsityPenalty, squaredVariation } from './penalty.ts';

export const importance: SparsityPenalty = {
  name: 'importance',
  source: 'Shazeer et al. 2017, §4, Eq. 6 and 7 (w_importance 0.1)',
  summary: 'CV(I)², I_j = Σ_examples h_ij: what each gate lets through over the minibatch should be the same for all',
  on: 'output',
  untargeted: true,
  nonNegative: true,
  defaultWeight: () => 0.1,
  ...ofMeans(squaredVariation),
};
