import type { Dataset } from '../data/dataset.ts';
import { countNonZero, sum } from '../math/statistics.ts';
import { type Hold, heldBySite } from '../nn/hold.ts';
import type { Model } from '../nn/model.ts';
import type { Mode, Pass } from '../nn/pass.ts';
import { noiseKey } from '../random/stream.ts';
import { checkOptions } from '../schema/schema.ts';
import { classification } from '../tasks/classification.ts';
import {
  added,
  checkFigures,
  checkTask,
  type Figures,
  type Outcome,
  runTask,
  type Task,
  type TaskBatch,
  type TaskData,
} from '../tasks/task.ts';
import { NonFiniteError } from '../tensor/non-finite-error.ts';
import { Tape } from '../tensor/tape.ts';
import { evaluateOptionsSchema } from './settings.ts';

/** How a model does on a data set, whatever its task. */
export interface TaskEvaluation {
  /** By name: see the task. */
  readonly metrics: Figures;
  /** Mean of what is minimised, e.g. in nats. */
  readonly loss: number;
  /** Share of open gates over all gated sites (sites with a target rate), in [0, 1]; 1 without such sites. */
  readonly density: number;
  /** Multiply-adds for one example: executed (the gaters' included), of the ungated dense net, of the gaters. */
  readonly flops: { readonly executed: number; readonly dense: number; readonly gater: number };
}

/** How a classifier does on a data set. */
export interface Evaluation extends Omit<TaskEvaluation, 'metrics'> {
  /** Share of wrong answers, in [0, 1]. */
  readonly error: number;
}

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Default `mean-field`. */
  readonly mode?: Exclude<Mode, 'train'>;
  /** Examples at a time; default 250, of sequences fewer: about 4,096 points. */
  readonly batch?: number;
  /** Number of the draw in `sample` mode: another number gives other samples; default 1. */
  readonly draw?: number;
  /** Units that are held open or closed; default: none. */
  readonly hold?: readonly Hold[];
  /** Evaluate the first examples, this many at most; default: all. */
  readonly examples?: number;
}

/** What a pass over a batch needs: its data, and how they are put on the heap and run. */
type Runs<D extends TaskData, B extends TaskBatch> = Pick<Task<D, B>, 'gather' | 'run' | 'points'>;
/** Rows of the network's input at a time, at most, where examples are many of them: points of sequences. */
const MOST_ROWS = 4096;
const USUAL_BATCH = 250;

/**
 * Evaluates a classifier on a data set.
 * @throws RangeError when the data's width or classes do not fit the model, or a held unit does not exist
 * @throws NonFiniteError when a loss is NaN or infinite: an error rate would then mean nothing
 */
export function evaluate(model: Model, dataset: Dataset, options: EvaluateOptions = {}): Evaluation {
  const { metrics, ...rest } = evaluateTask(model, dataset, classification, options);
  return { error: metrics.error, ...rest };
}

/**
 * Evaluates a model on a task's data.
 * @throws RangeError when the data do not fit the model, or a held unit does not exist; NonFiniteError when a loss is NaN or infinite
 */
export function evaluateTask<D extends TaskData, B extends TaskBatch>(
  model: Model,
  data: D,
  task: Task<D, B>,
  options: EvaluateOptions = {},
): TaskEvaluation {
  checkOptions(evaluateOptionsSchema, options, 'evaluate');
  checkTask(task, model, data);
  let [loss, open, gates, examples] = [0, 0, 0, 0];
  let sums: Figures = {};
  const work = { executed: 0, gater: 0 };
  forEachBatch(model, data, task, options, (pass, batch, outcome) => {
    const also = (outcome.also ?? []).reduce((total, { values }) => total + sum(values), 0);
    const lossOfBatch = sum(outcome.losses.values) + also;
    if (!Number.isFinite(lossOfBatch)) throw nonFinite(data.name, pass.tape);
    loss += lossOfBatch;
    examples += batch.rows;
    sums = added(sums, checkFigures(task, 'measure', task.measure(outcome, batch)));
    work.executed += pass.tape.work.executed;
    work.gater += pass.tape.work.gater;
    for (const { last, rate } of model.sites) {
      if (rate === undefined || !last) continue;
      gates += last.h.size;
      open += countNonZero(last.h.values);
    }
  });
  return {
    metrics: checkFigures(task, 'metrics', task.metrics(sums, examples)),
    loss: loss / examples,
    density: gates === 0 ? 1 : open / gates,
    flops: {
      executed: work.executed / examples,
      dense: (task.points?.(data) ?? 1) * model.cost.dense,
      gater: work.gater / examples,
    },
  };
}

/** Runs the model over a data set in order, without gradients. `visit` sees every batch before its memory is used again. */
export function forEachBatch<D extends TaskData, B extends TaskBatch>(
  model: Model,
  data: D,
  task: Runs<D, B>,
  { mode = 'mean-field', batch: asked, draw = 1, hold = [], examples = data.count }: EvaluateOptions,
  visit: (pass: Pass, batch: B, outcome: Outcome) => void,
): void {
  const size = asked ?? Math.max(1, Math.min(USUAL_BATCH, Math.floor(MOST_ROWS / (task.points?.(data) ?? 1))));
  const key = noiseKey(model.seed);
  const held = heldBySite(model.sites, hold);
  const count = Math.min(examples, data.count);
  for (let from = 0, step = 0; from < count; from += size, step++) {
    model.engine.beginStep();
    const indices = Int32Array.from({ length: Math.min(size, count - from) }, (_, i) => from + i);
    const batch = task.gather(model.engine, data, indices);
    const tape = new Tape(model.engine);
    const source = { key, step, draw };
    const pass: Pass = { tape, mode, source, penalties: [], held };
    visit(pass, batch, runTask(task, model, pass, batch));
  }
}

function nonFinite(name: string, tape: Tape): NonFiniteError {
  const first = tape.firstNonFinite();
  return new NonFiniteError(
    `Evaluation stopped: the loss on "${name}" is NaN or infinite; the operation "${first?.op}" in layer "${first?.layer}" gave it first. Expected weights and data without NaN.`,
  );
}
