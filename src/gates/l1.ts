import type { SparsityPenalty } from './penalty.ts';

const MARGIN = 0.01;

export const l1: SparsityPenalty = {
  name: 'l1',
  source: "Bengio, Léonard, Courville 2013, §5; the adaptive λ is that of the authors' code",
  summary: 'mean_examples Σ_i |h_i|; λ ×1.1 while the open share exceeds s + 0.01, ×0.9 while it is under s − 0.01',
  on: 'output',
  defaultWeight: () => 1e-5,
  evaluate(values, rows, _units, _target, gradient) {
    let total = 0;
    for (let i = 0; i < values.length; i++) {
      total += Math.abs(values[i]);
      gradient[i] = Math.sign(values[i]) / rows;
    }
    return total / rows;
  },
  adapt(weight, openShare, target) {
    const factor = openShare > target + MARGIN ? 1.1 : openShare < target - MARGIN ? 0.9 : 1;
    return Math.min(1, Math.max(1e-13, weight * factor));
  },
};
