import { sum } from '../math/statistics.ts';
import { columnMeans, followRate, type SparsityPenalty } from './penalty.ts';

export const l1: SparsityPenalty = {
  name: 'l1',
  source: "Bengio, Léonard, Courville 2013, §5; the adaptive λ is that of the authors' code",
  summary: 'mean_examples Σ_i |h_i|; λ ×1.1 while the open share exceeds s + 0.01, ×0.9 while it is under s − 0.01',
  on: 'output',
  defaultWeight: () => 1e-5,
  evaluate(values, rows, units, _target, gradient, { weights }) {
    for (let i = 0; i < values.length; i++) gradient[i] = Math.sign(values[i]) / rows;
    return sum(columnMeans(values.map(Math.abs), rows, units, weights));
  },
  adapt: followRate,
};
