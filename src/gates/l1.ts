import { followRate, meanOfRows, type SparsityPenalty } from './penalty.ts';

export const l1: SparsityPenalty = {
  name: 'l1',
  source: "Bengio, Léonard, Courville 2013, §5; the adaptive λ is that of the authors' code",
  summary: 'mean_examples Σ_i |h_i|; λ ×1.1 while the open share exceeds s + 0.01, ×0.9 while it is under s − 0.01',
  on: 'output',
  defaultWeight: () => 1e-5,
  evaluate(values, rows, units, _target, gradient, { weights }) {
    const sums = new Float64Array(rows);
    for (let r = 0, i = 0; r < rows; r++) {
      let own = 0;
      for (const end = i + units; i < end; i++) {
        own += Math.abs(values[i]);
        gradient[i] = Math.sign(values[i]) / rows;
      }
      sums[r] = own;
    }
    return meanOfRows(sums, weights);
  },
  adapt: followRate,
};
