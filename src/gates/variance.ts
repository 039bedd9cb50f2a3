import { columnMeans, meanOfRows, type SparsityPenalty } from './penalty.ts';

export const variance: SparsityPenalty = {
  name: 'variance',
  source: 'E. Bengio, Bacon, Pineau, Precup 2015, §3.3, L_v',
  summary: 'L_v = −Σ_j var_i σ_ij: gates should differ between examples',
  on: 'probability',
  untargeted: true,
  defaultWeight: (units) => 0.3 / units,
  evaluate(values, rows, units, _target, gradient, { weights }) {
    const means = columnMeans(values, rows, units, weights);
    const squares = new Float64Array(rows);
    for (let r = 0, i = 0; r < rows; r++) {
      let own = 0;
      for (let j = 0; j < units; j++, i++) {
        const deviation = values[i] - means[j];
        own += deviation * deviation;
        gradient[i] = (-2 * deviation) / rows;
      }
      squares[r] = own;
    }
    return -meanOfRows(squares, weights);
  },
  rowParts(values, rows, units, _target, { weights }) {
    const means = columnMeans(values, rows, units, weights);
    const parts = new Float64Array(rows);
    for (let r = 0, i = 0; r < rows; r++) for (let j = 0; j < units; j++, i++) parts[r] -= (values[i] - means[j]) ** 2;
    return parts;
  },
};
