import type { TargetDataset } from '../data/targets.ts';
import type { Model } from '../nn/model.ts';
import { sigmoidCrossEntropy } from '../tensor/ops/bernoulli.ts';
import { sigmoid } from './link.ts';
import { checkTargets, gatherTargets, placeTargets, type TargetBatch } from './targets.ts';
import type { Task } from './task.ts';

/** What an epoch of labels that do not exclude each other tells besides what all epochs do; shares in [0, 1]. */
export interface MultiLabelEpoch {
  /** Nats an example, all labels together. */
  readonly validLoss: number;
  /** Share of labels that are wrong. */
  readonly validError: number;
  /** Share of examples with any label wrong. */
  readonly validAnyError: number;
  readonly density: number;
}

/** @throws RangeError when the data do not fit the model, or a target is neither 0 nor 1 */
function check(model: Model, data: TargetDataset): void {
  checkTargets(model, data);
  const wrong = data.targets.findIndex((target) => target !== 0 && target !== 1);
  if (wrong >= 0)
    throw new RangeError(
      `The target ${wrong % data.outputs} of example ${Math.floor(wrong / data.outputs)} of "${data.name}" is ${data.targets[wrong]}. Expected 0 or 1.`,
    );
}

/** Labels that do not exclude each other, or one yes or no: the cross-entropies of all, summed. A label is told where its logit is over 0. */
export const multiLabel: Task<TargetDataset, TargetBatch, MultiLabelEpoch> = {
  name: 'multi-label',
  loss: { title: 'cross-entropy', unit: 'nats' },
  figures: {
    error: { title: 'error', unit: 'share' },
    anyError: { title: 'examples with an error', unit: 'share' },
  },
  data: 'targets',
  defaults: { optimizer: 'adam', batch: 100 },
  check,
  gather: gatherTargets,
  run(model, pass, batch) {
    const { x, targets } = placeTargets(pass, batch);
    const output = model.apply(pass, x);
    pass.tape.layer = 'loss';
    return { output, losses: sigmoidCrossEntropy(output, targets) };
  },
  measure({ output }, { targets, rows }) {
    const [y, t] = [output.values, targets.values];
    const columns = targets.columns;
    const sums = { wrong: 0, any: 0, labels: t.length };
    for (let r = 0; r < rows; r++) {
      let own = 0;
      for (let i = r * columns; i < (r + 1) * columns; i++) if (y[i] > 0 !== (t[i] === 1)) own++;
      sums.wrong += own;
      if (own > 0) sums.any++;
    }
    return sums;
  },
  metrics: ({ wrong, any, labels }, examples) => ({ error: wrong / labels, anyError: any / examples }),
  link: sigmoid,
  tell(values, _, names) {
    const told = [...values.keys()].filter((i) => values[i] > 0.5);
    return { labels: told.map((i) => names?.[i] ?? i), probabilities: [...values] };
  },
  best: { metric: 'error', better: 'less' },
};
