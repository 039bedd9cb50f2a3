import type { Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { softmaxCrossEntropy } from '../tensor/ops/softmax-cross-entropy.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Batch } from './batches.ts';

/** What a pass over a minibatch gave. */
export interface Outcome {
  /** The model's output: one row an example and draw. */
  readonly output: Tensor;
  /** One loss a row of the output, in nats. */
  readonly losses: Tensor;
  /** What is added to the losses of the examples and does not depend on any draw: one number an example. */
  readonly also?: readonly Tensor[];
}

/** Runs a model on a minibatch and says what training is to minimise: the mean over the examples. */
export type Objective = (model: Model, pass: Pass, batch: Batch) => Outcome;

/** Cross-entropy of the softmax of the model's outputs with the labels. */
export const classification: Objective = (model, pass, batch) => {
  const { x, labels } = placeBatch(pass, batch);
  const output = model.apply(pass, x);
  pass.tape.layer = 'loss';
  return { output, losses: softmaxCrossEntropy(output, labels) };
};

/** A minibatch as the examples of a pass. */
export function placeBatch(
  { tape }: Pass,
  { x, labels, rows }: Batch,
): { readonly x: Tensor; readonly labels: Tensor } {
  const examples = tape.plates.examples(rows);
  return { x: tape.input(x, examples), labels: tape.input(labels, examples) };
}
