import type { Dataset } from '../data/dataset.ts';
import type { Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { softmaxCrossEntropy } from '../tensor/ops/softmax-cross-entropy.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Batch, countWrong, gatherBatch } from './examples.ts';
import { largestOf, softmax } from './link.ts';
import type { Outcome, Task } from './task.ts';

/** What an epoch tells of a classifier besides what all epochs do: errors are shares in [0, 1], losses nats. */
export interface ClassificationEpoch {
  /** Share of wrong answers over the epoch's minibatches, as sampled while training. */
  readonly trainError: number;
  readonly validError: number;
  readonly validLoss: number;
  /** Share of open gates on the validation data. */
  readonly density: number;
}

/** A minibatch as the examples of a pass. */
export function placeBatch(
  { tape }: Pass,
  { x, labels, rows }: Batch,
): { readonly x: Tensor; readonly labels: Tensor } {
  const examples = tape.plates.examples(rows);
  return { x: tape.input(x, examples), labels: tape.input(labels, examples) };
}

/** @throws RangeError when the data's width or classes do not fit the model */
function check(model: Model, dataset: Dataset): void {
  if (dataset.width !== model.inputs)
    throw new RangeError(
      `The data set "${dataset.name}" has ${dataset.width} features, the model takes ${model.inputs}. Expected \`inputs: ${dataset.width}\`.`,
    );
  if (dataset.classes > model.outputs)
    throw new RangeError(
      `The data set "${dataset.name}" has ${dataset.classes} classes, the model tells ${model.outputs} apart. Expected a last layer of ${dataset.classes} units.`,
    );
  if (dataset.count === 0) throw new RangeError(`The data set "${dataset.name}" is empty.`);
}

/** One of several classes: cross-entropy of the softmax of the model's outputs with the labels, in nats. */
export const classification: Task<Dataset, Batch, ClassificationEpoch> = {
  name: 'classification',
  loss: { title: 'cross-entropy', unit: 'nats' },
  figures: { error: { title: 'error', unit: 'share' } },
  data: 'classes',
  defaults: { optimizer: 'sgd', batch: 100 },
  check,
  gather: gatherBatch,
  run(model, pass, batch): Outcome {
    const { x, labels } = placeBatch(pass, batch);
    const output = model.apply(pass, x);
    pass.tape.layer = 'loss';
    return { output, losses: softmaxCrossEntropy(output, labels) };
  },
  measure: ({ output }, batch) => ({ wrong: countWrong(output, batch) }),
  metrics: ({ wrong }, examples) => ({ error: wrong / examples }),
  counted: ['wrong'],
  link: softmax,
  tell(values, _, names) {
    const best = largestOf(values);
    return { class: names?.[best] ?? best, probability: values[best], probabilities: [...values] };
  },
  best: { metric: 'error', better: 'less' },
};
