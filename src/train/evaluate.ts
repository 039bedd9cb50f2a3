import type { Dataset } from '../data/dataset.ts';
import { countNonZero, sum } from '../math/statistics.ts';
import { type Hold, heldBySite } from '../nn/hold.ts';
import type { Model } from '../nn/model.ts';
import type { Mode, Pass } from '../nn/pass.ts';
import { seedToKey } from '../random/stream.ts';
import { softmaxCrossEntropy } from '../tensor/ops/softmax-cross-entropy.ts';
import { NonFiniteError, Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Batch, countWrong, gatherBatch } from './batches.ts';
import { placeBatch } from './objective.ts';

/** How a model does on a data set. */
export interface Evaluation {
  /** Share of wrong answers, in [0, 1]. */
  readonly error: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** Share of open gates over all gated sites (sites with a target rate), in [0, 1]; 1 without such sites. */
  readonly density: number;
  /** Multiply-adds for one example: executed (the gaters' included), of the ungated dense net, of the gaters. */
  readonly flops: { readonly executed: number; readonly dense: number; readonly gater: number };
}

export interface EvaluateOptions {
  /** Default `mean-field`. */
  readonly mode?: Exclude<Mode, 'train'>;
  /** Examples at a time; default 250. */
  readonly batch?: number;
  /** Number of the draw in `sample` mode: another number gives other samples; default 1. */
  readonly draw?: number;
  /** Units that are held open or closed; default: none. */
  readonly hold?: readonly Hold[];
}

/**
 * Evaluates a model on a data set.
 * @throws RangeError when the data's width or classes do not fit the model, or a held unit does not exist
 * @throws NonFiniteError when a loss is NaN or infinite: an error rate would then mean nothing
 */
export function evaluate(model: Model, dataset: Dataset, options: EvaluateOptions = {}): Evaluation {
  checkFit(model, dataset);
  let wrong = 0;
  let loss = 0;
  let open = 0;
  let gates = 0;
  const work = { executed: 0, gater: 0 };
  forEachBatch(model, dataset, options, (pass, batch, logits) => {
    const losses = softmaxCrossEntropy(logits, placeBatch(pass, batch).labels);
    const lossOfBatch = sum(losses.values);
    if (!Number.isFinite(lossOfBatch)) throw nonFinite(dataset, pass.tape);
    loss += lossOfBatch;
    wrong += countWrong(logits, batch);
    work.executed += pass.tape.work.executed;
    work.gater += pass.tape.work.gater;
    for (const { last, rate } of model.sites) {
      if (rate === undefined || !last) continue;
      gates += last.h.size;
      open += countNonZero(last.h.values);
    }
  });
  const n = dataset.count;
  return {
    error: wrong / n,
    loss: loss / n,
    density: gates === 0 ? 1 : open / gates,
    flops: { executed: work.executed / n, dense: model.cost.dense, gater: work.gater / n },
  };
}

/** Runs the model over a data set in order, without gradients. `visit` sees every batch before its memory is used again. */
export function forEachBatch(
  model: Model,
  dataset: Dataset,
  { mode = 'mean-field', batch: size = 250, draw = 1, hold = [] }: EvaluateOptions,
  visit: (pass: Pass, batch: Batch, logits: Tensor) => void,
): void {
  const key = seedToKey(model.seed);
  const held = heldBySite(model.sites, hold);
  for (let from = 0, step = 0; from < dataset.count; from += size, step++) {
    model.engine.beginStep();
    const indices = Int32Array.from({ length: Math.min(size, dataset.count - from) }, (_, i) => from + i);
    const batch = gatherBatch(model.engine, dataset, indices);
    const tape = new Tape(model.engine);
    const source = { key, step, draw };
    const pass: Pass = { tape, mode, source, penalties: [], held };
    visit(pass, batch, model.apply(pass, placeBatch(pass, batch).x));
  }
}

function nonFinite(dataset: Dataset, tape: Tape): NonFiniteError {
  const first = tape.firstNonFinite();
  return new NonFiniteError(
    `Evaluation stopped: the loss on "${dataset.name}" is NaN or infinite; the operation "${first?.op}" in layer "${first?.layer}" gave it first. Weights and data without NaN would do.`,
  );
}

/** @throws RangeError when the data's width or classes do not fit the model */
export function checkFit(model: Model, dataset: Dataset): void {
  if (dataset.width !== model.inputs)
    throw new RangeError(
      `The data set "${dataset.name}" has ${dataset.width} features, the model takes ${model.inputs}; \`inputs: ${dataset.width}\` would do.`,
    );
  if (dataset.classes > model.outputs)
    throw new RangeError(
      `The data set "${dataset.name}" has ${dataset.classes} classes, the model tells ${model.outputs} apart; a last layer of ${dataset.classes} units would do.`,
    );
  if (dataset.count === 0) throw new RangeError(`The data set "${dataset.name}" is empty.`);
}
