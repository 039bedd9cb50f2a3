import type { TargetDataset } from '../data/targets.ts';
import type { Model } from '../nn/model.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { scale } from '../tensor/ops/arithmetic.ts';
import { absoluteError, huber, squaredError } from '../tensor/ops/losses.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { identity } from './link.ts';
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

/** The sum over a row's targets. */
const losses = {
  squared: squaredError,
  absolute: absoluteError,
  huber: (predictions: Tensor, targets: Tensor) => huber(predictions, targets),
};

/** Names of what may be minimised. */
export const regressionLosses = Object.keys(losses) as (keyof typeof losses)[];

/** Options of `regression`. */
export interface RegressionOptions {
  /** What is minimised: the mean over an example's targets of (y − t)² (default), of |y − t|, or of Huber's loss. */
  readonly loss?: keyof typeof losses;
}

const NAMES: NamesOf<RegressionOptions> = { loss: true };

/** Starts the last layer's bias, where it has one, at the means of the targets: a new network answers about their mean. */
function startAtMeans(model: Model, { targets, outputs, count, units }: TargetDataset): void {
  const bias = `${model.layers[model.layers.length - 1].name}.bias`;
  if (!model.parameters.some(({ name, tensor }) => name === bias && tensor.size === outputs)) return;
  const means = new Float64Array(outputs);
  for (let i = 0; i < targets.length; i++) means[i % outputs] += targets[i] / count;
  model.setWeights(bias, units ? means.map((mean, j) => (mean - units.center[j]) / units.spread[j]) : means);
}

/**
 * Numbers as targets. A new network starts at their means. Where the data have `units`, what is minimised is of standardised targets, and
 * metrics and predictions are in the targets' own.
 * @throws RangeError for a loss that there is not
 */
export function regression(options: RegressionOptions = {}): Task<TargetDataset, TargetBatch, RegressionEpoch> {
  checkNames('regression', options, NAMES);
  const { loss = 'squared' } = options;
  if (!Object.hasOwn(losses, loss))
    throw new RangeError(`regression: \`loss\` is "${loss}". Expected ${Object.keys(losses).join(', ')}.`);
  return {
    name: 'regression',
    options: { loss },
    loss: { title: `${loss} error` },
    figures: { rmse: { title: 'RMSE' }, mae: { title: 'MAE' }, r2: { title: 'R²' } },
    data: 'targets',
    defaults: { optimizer: 'adam', batch: 100 },
    standardizes: true,
    units: ({ units }) => units,
    check: checkTargets,
    begin: startAtMeans,
    gather: gatherTargets,
    run(model, pass, batch) {
      const { x, targets } = placeTargets(pass, batch);
      const output = model.apply(pass, x);
      pass.tape.layer = 'loss';
      return { output, losses: scale(losses[loss](output, targets), { factor: 1 / targets.columns }) };
    },
    measure({ output }, { targets, units }) {
      const sums = { squares: 0, distances: 0, targets: 0, targetSquares: 0, count: targets.size };
      const [y, t] = [output.values, targets.values];
      const { columns } = targets;
      // Of several draws, the first.
      for (let i = 0; i < t.length; i++) {
        const spread = units?.spread[i % columns] ?? 1;
        const target = t[i] * spread + (units?.center[i % columns] ?? 0);
        const difference = (y[i] - t[i]) * spread;
        sums.squares += difference ** 2;
        sums.distances += Math.abs(difference);
        sums.targets += target;
        sums.targetSquares += target ** 2;
      }
      return sums;
    },
    metrics({ squares, distances, targets, targetSquares, count }) {
      const spread = targetSquares - targets ** 2 / count;
      return { rmse: Math.sqrt(squares / count), mae: distances / count, r2: spread > 0 ? 1 - squares / spread : 0 };
    },
    link: identity,
    tell: (values, _, names) =>
      names ? Object.fromEntries(names.map((name, i) => [name, values[i]])) : { values: [...values] },
    best: { metric: 'rmse', better: 'less' },
  };
}
