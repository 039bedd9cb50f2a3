import { NdArray } from '../backend/nd-array.ts';
import type { Pass } from '../layers/layer.ts';
import type { Model } from '../layers/model.ts';
import type { Batch } from './batches.ts';

/** What a pass over a minibatch gave. */
export interface Outcome {
  /** The model's output: one row an example and draw. */
  readonly output: NdArray;
  /** One loss a row of the output, in nats. */
  readonly losses: NdArray;
  /** What is added to the losses of the examples and does not depend on any draw: one number an example. */
  readonly also?: readonly NdArray[];
}

/** Runs a model on a minibatch and says what training is to minimise: the mean over the examples. */
export type Objective = (model: Model, pass: Pass, batch: Batch) => Outcome;

/** Cross-entropy of the softmax of the model's outputs with the labels. */
export const classification: Objective = (model, pass, { x, labels }) => {
  const output = model.apply(pass, x);
  pass.tape.layer = 'loss';
  const losses = pass.tape.apply('softmaxCrossEntropy', [output], { labels: labelsAtDraws(pass, labels) });
  return { output, losses };
};

/** Whole-number labels, once for every draw. */
function labelsAtDraws({ tape }: Pass, labels: NdArray): NdArray {
  const times = tape.drawsOf(labels.size);
  if (times === 1) return labels;
  const { heap } = tape.engine.backend;
  const count = times * labels.size;
  const repeated = new NdArray(heap, heap.allocate(count, 'the labels of all draws'), [count]);
  const [from, to] = [labels, repeated].map(({ pointer, size }) => heap.memory.integers(pointer, size));
  for (let draw = 0; draw < times; draw++) to.set(from, draw * labels.size);
  return repeated;
}
