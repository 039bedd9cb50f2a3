import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Dataset } from '../data/dataset.ts';
import { randomStream } from '../random/stream.ts';

/** A minibatch on the heap: inputs rows×width, labels as whole numbers. Valid until the next step. */
export interface Batch {
  readonly x: NdArray;
  readonly labels: NdArray;
  readonly rows: number;
}

/** Puts the examples with these indices on the heap. */
export function gatherBatch(engine: Engine, dataset: Dataset, indices: ArrayLike<number>): Batch {
  const rows = indices.length;
  const { width, features, scale, stride = width } = dataset;
  const x = engine.allocate([rows, width], 'a minibatch');
  const labels = engine.allocate([rows], 'the labels of a minibatch');
  labels.whole = true;
  const values = x.values;
  const marks = labels.integers;
  for (let r = 0; r < rows; r++) {
    const from = indices[r] * stride;
    for (let i = 0; i < width; i++) values[r * width + i] = features[from + i] * scale;
    marks[r] = dataset.labels[indices[r]];
  }
  return { x, labels, rows };
}

/** First word of the path of the shuffling streams. */
const SHUFFLE = 2;

/** The order of the examples in an epoch: a permutation that depends on the seed and the epoch only. */
export function epochOrder(count: number, seed: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  return randomStream(seed, SHUFFLE, epoch).shuffle(order as unknown as number[]) as unknown as Int32Array;
}

/** How many rows have their largest logit elsewhere than at their label. */
export function countWrong(
  logits: { readonly values: ArrayLike<number>; readonly columns: number },
  { labels, rows }: Batch,
): number {
  const { values, columns } = logits;
  const marks = labels.integers;
  let wrong = 0;
  for (let r = 0; r < rows; r++) {
    let best = 0;
    for (let c = 1; c < columns; c++) if (values[r * columns + c] > values[r * columns + best]) best = c;
    if (best !== marks[r]) wrong++;
  }
  return wrong;
}
