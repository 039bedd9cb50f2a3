import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { TokenDataset } from '../data/tokens.ts';
import { embedding } from '../nn/embedding.ts';
import { lstm } from '../nn/lstm.ts';
import type { Model } from '../nn/model.ts';
import { integersOnHeap } from '../tensor/ops/gathering.ts';
import { meanRows } from '../tensor/ops/plates.ts';
import { softmaxCrossEntropy } from '../tensor/ops/softmax-cross-entropy.ts';
import { largestOf, softmax } from './link.ts';
import type { Task } from './task.ts';

/** What an epoch of a language model tells besides what all epochs do. */
export interface NextTokenEpoch {
  /** Mean over the sequences of their nats a token. */
  readonly validLoss: number;
  /** Bits a token, over all tokens. */
  readonly validBits: number;
  /** Share of tokens that are not the most probable one. */
  readonly validError: number;
  readonly density: number;
}

/** Sequences of tokens on the heap; valid until the next step. */
export interface TokenBatch {
  /** Sequences. */
  readonly rows: number;
  /** Every token but the last of each sequence, as a number: points × 1. */
  readonly x: NdArray;
  /** The token after each, as whole numbers: points. */
  readonly next: NdArray;
  readonly offsets: Int32Array;
}

function gatherTokens(engine: Engine, { tokens, offsets }: TokenDataset, indices: ArrayLike<number>): TokenBatch {
  const starts = new Int32Array(indices.length + 1);
  for (let s = 0; s < indices.length; s++)
    starts[s + 1] = starts[s] + offsets[indices[s] + 1] - offsets[indices[s]] - 1;
  const points = starts[indices.length];
  const x = engine.allocate([points, 1], 'a minibatch of tokens');
  const next = new Int32Array(points);
  const { values } = x;
  for (let s = 0; s < indices.length; s++)
    for (let at = starts[s], from = offsets[indices[s]]; at < starts[s + 1]; at++, from++) {
      values[at] = tokens[from];
      next[at] = tokens[from + 1];
    }
  return { rows: indices.length, x, next: integersOnHeap(engine, next, [points]), offsets: starts };
}

/** @throws RangeError when the model does not take one token and give one logit a class */
function check(model: Model, { name, classes }: TokenDataset): void {
  if (model.inputs !== 1)
    throw new RangeError(
      `The model takes ${model.inputs} numbers a point. Expected \`inputs: 1\`, the token, for an embedding.`,
    );
  if (model.outputs !== classes)
    throw new RangeError(
      `The tokens "${name}" have ${classes} classes, the model gives ${model.outputs} logits. Expected a last layer of ${classes} units.`,
    );
}

/**
 * The next token of a sequence from those up to it: cross-entropy in nats, a mean over the tokens of a sequence. The model sees a token at a
 * time, in order, so what reads further back is recurrent or causal.
 */
export const nextToken: Task<TokenDataset, TokenBatch, NextTokenEpoch> = {
  name: 'next-token',
  loss: { title: 'cross-entropy', unit: 'nats' },
  figures: { bits: { title: 'bits a token', unit: 'bits' }, error: { title: 'error', unit: 'share' } },
  data: 'tokens',
  layers: ({ classes }) => [embedding(classes, 32), lstm(64)],
  defaults: { optimizer: 'adam', batch: 16 },
  // The last token of a sequence is predicted and predicts nothing.
  points: ({ count, offsets }) => (offsets[count] - count) / count,
  check,
  gather: gatherTokens,
  run(model, pass, { x, next, offsets }) {
    const { tape } = pass;
    const points = tape.plates.points(offsets);
    const output = model.apply(pass, tape.input(x, points));
    tape.layer = 'loss';
    return { output, losses: meanRows(softmaxCrossEntropy(output, tape.input(next, points))) };
  },
  measure({ output }, { next }) {
    const [logits, labels] = [output.values, next.integers];
    const { columns } = output;
    const sums = { nats: 0, wrong: 0, tokens: labels.length };
    for (let r = 0; r < labels.length; r++) {
      const row = logits.subarray(r * columns, (r + 1) * columns);
      let most = 0;
      for (let c = 1; c < columns; c++) if (row[c] > row[most]) most = c;
      let total = 0;
      for (let c = 0; c < columns; c++) total += Math.exp(row[c] - row[most]);
      sums.nats += row[most] + Math.log(total) - row[labels[r]];
      if (most !== labels[r]) sums.wrong++;
    }
    return sums;
  },
  metrics: ({ nats, wrong, tokens }) => ({ bits: nats / tokens / Math.LN2, error: wrong / tokens }),
  link: softmax,
  tell(values, columns) {
    const last = values.subarray(values.length - columns);
    const best = largestOf(last);
    return { next: best, probability: last[best] };
  },
  best: { metric: 'bits', better: 'less' },
};
