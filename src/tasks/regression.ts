import type { TargetDataset } from '../data/targets.ts';
import { add, multiply, scale } from '../tensor/ops/arithmetic.ts';
import { matmul } from '../tensor/ops/matmul.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkTargets, gatherTargets, placeTargets, type TargetBatch } from './targets.ts';
import type { Task } from './task.ts';

/** What an epoch of a regression tells besides what all epochs do, over all targets of the validation data. */
export interface RegressionEpoch {
  readonly validLoss: number;
  /** Root of the mean squared error. */
  readonly validRmse: number;
  /** Mean absolute error. */
  readonly validMae: number;
  /** 1 − squared errors over squared distances from the mean target: 1 is perfect, 0 as good as the mean. */
  readonly validR2: number;
  readonly density: number;
}

/** Numbers as targets: the mean squared error over the targets of an example. */
export const regression: Task<TargetDataset, TargetBatch, RegressionEpoch> = {
  name: 'regression',
  defaults: { optimizer: 'adam', batch: 100 },
  check: checkTargets,
  gather: gatherTargets,
  run(model, pass, batch) {
    const { x, targets } = placeTargets(pass, batch);
    const output = model.apply(pass, x);
    pass.tape.layer = 'loss';
    return { output, losses: meanSquares(add(output, scale(targets, { factor: -1 }))) };
  },
  measure({ output }, { targets }) {
    const sums = { squares: 0, distances: 0, targets: 0, targetSquares: 0, count: targets.size };
    const [y, t] = [output.values, targets.values];
    // Of several draws, the first.
    for (let i = 0; i < t.length; i++) {
      const difference = y[i] - t[i];
      sums.squares += difference ** 2;
      sums.distances += Math.abs(difference);
      sums.targets += t[i];
      sums.targetSquares += t[i] ** 2;
    }
    return sums;
  },
  metrics({ squares, distances, targets, targetSquares, count }) {
    const spread = targetSquares - targets ** 2 / count;
    return { rmse: Math.sqrt(squares / count), mae: distances / count, r2: spread > 0 ? 1 - squares / spread : 0 };
  },
  best: { metric: 'rmse', better: 'less' },
};

/** The mean of the squares of a row. */
function meanSquares(x: Tensor): Tensor {
  const { columns } = x;
  return matmul(multiply(x, x), new Array(columns).fill([1 / columns]));
}
