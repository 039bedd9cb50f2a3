import { type Hold, heldBySite } from '../nn/hold.ts';
import type { Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { noiseKey } from '../random/stream.ts';
import { checkOptions } from '../schema/schema.ts';
import { identity } from '../tasks/link.ts';
import {
  added,
  checkIsTask,
  checkTask,
  type Figures,
  type Outcome,
  type Task,
  type TaskBatch,
  type TaskData,
} from '../tasks/task.ts';
import { NonFiniteError } from '../tensor/non-finite-error.ts';
import { Tape } from '../tensor/tape.ts';
import { allRows } from './all-rows.ts';
import type { InferenceMode } from './compile.ts';
import { firstNonFinite } from './first-non-finite.ts';
import { predictOptionsSchema } from './settings.ts';

/** What a network says of the examples of a minibatch. */
export interface TaskPrediction {
  /** Averages over the draws, by the task's link and in its units: a row an example, or a row a point of a sequence. */
  readonly values: Float64Array;
  readonly columns: number;
  /** Multiply-adds of all draws together, the gaters' included. */
  readonly multiplyAdds: number;
  /** Of every site with a target rate: its units, and for every row and unit the share of the draws in which it was open. */
  readonly open: readonly { readonly site: string; readonly units: number; readonly shares: Float64Array }[];
}

export interface PredictTaskOptions {
  /** Default `threshold`. */
  readonly mode?: InferenceMode;
  /** Draws of the ensemble; default 10. */
  readonly samples?: number;
  /** Units that are held open or closed; default: none. */
  readonly hold?: readonly Hold[];
  /** Examples at a time; default 1: a single example computes its own open blocks alone. */
  readonly batch?: number;
}

/** What a pass left behind: its memory is used again by the next one. */
interface Seen extends TaskPrediction {
  readonly batch: TaskBatch;
  readonly outcome: Outcome;
}

/**
 * What a model says of a task's data, example by example. Targets and labels of the data are not looked at.
 * @throws RangeError when a held unit does not exist; NonFiniteError when what the network gives for an example is not finite
 */
export function* predictTask<D extends TaskData, B extends TaskBatch>(
  model: Model,
  data: D,
  task: Pick<Task<D, B>, 'gather' | 'run' | 'link' | 'units'>,
  options: PredictTaskOptions = {},
): Generator<TaskPrediction, void> {
  checkOptions(predictOptionsSchema, options, 'predictTask');
  checkIsTask(task);
  const units = task.units?.(data);
  for (const { values, columns, multiplyAdds, open } of passes(model, data, task, options)) {
    const told = units ? values.map((y, i) => y * units.spread[i % columns] + units.center[i % columns]) : values;
    yield { values: told, columns, multiplyAdds, open };
  }
}

/** The metrics of the average of several draws, and multiply-adds for one example. */
export function evaluateEnsemble<D extends TaskData, B extends TaskBatch>(
  model: Model,
  data: D,
  task: Task<D, B>,
  samples: number,
): { readonly metrics: Figures; readonly multiplyAdds: number } {
  checkTask(task, model, data);
  const { back } = task.link ?? identity;
  let sums: Figures = {};
  let multiplyAdds = 0;
  for (const seen of passes(model, data, task, { mode: 'ensemble', samples, batch: 250 })) {
    const { outcome, batch, values, columns } = seen;
    // In the place of what the last draw gave.
    const { values: output } = outcome.output;
    for (let r = 0; r < values.length; r += columns) {
      const row = values.slice(r, r + columns);
      back(row);
      output.set(row, r);
    }
    sums = added(sums, task.measure(outcome, batch as B));
    multiplyAdds += seen.multiplyAdds;
  }
  return { metrics: task.metrics(sums, data.count), multiplyAdds: multiplyAdds / data.count };
}

function* passes<D extends TaskData, B extends TaskBatch>(
  model: Model,
  data: D,
  { gather, run, link = identity }: Pick<Task<D, B>, 'gather' | 'run' | 'link'>,
  { mode = 'threshold', samples = 10, hold = [], batch: size = 1 }: PredictTaskOptions,
): Generator<Seen, void> {
  const key = noiseKey(model.seed);
  const held = heldBySite(model.sites, hold);
  const draws = mode === 'ensemble' ? samples : 1;
  const sites = model.sites.filter(({ rate }) => rate !== undefined);
  for (let from = 0, step = 0; from < data.count; from += size, step++) {
    const indices = Int32Array.from({ length: Math.min(size, data.count - from) }, (_, i) => from + i);
    let seen: Seen | undefined;
    // Of every site that rows have reached: in how many draws its units were open for each row.
    const counts: Float64Array[] = [];
    for (let draw = 1; draw <= draws; draw++) {
      model.engine.beginStep();
      const batch = gather(model.engine, data, indices);
      const pass: Pass = {
        tape: new Tape(model.engine),
        mode: mode === 'ensemble' ? 'sample' : mode,
        source: { key, step, draw },
        penalties: [],
        held,
      };
      const outcome = run(model, pass, batch);
      const { columns } = outcome.output;
      const values = Float64Array.from(outcome.output.values);
      checkFinite(values, outcome, batch, from);
      for (let r = 0; r < values.length; r += columns) link.to(values.subarray(r, r + columns));
      sites.forEach((site, s) => {
        allRows(site)
          ?.open()
          .forEach((open, i, { length }) => {
            counts[s] ??= new Float64Array(length);
            counts[s][i] += open;
          });
      });
      const { executed } = pass.tape.work;
      const before = seen;
      seen = {
        batch,
        outcome,
        columns,
        values: averaged(before?.values, values, draw),
        multiplyAdds: (before?.multiplyAdds ?? 0) + executed,
        open: sites.map(({ name, units }, s) => ({
          site: name,
          units,
          shares: (counts[s] ?? new Float64Array(outcome.output.rows * units)).map((count) => count / draw),
        })),
      };
    }
    if (seen) yield seen;
  }
}

/** The mean of `draw` arrays, from that of all but the last. */
function averaged(before: Float64Array | undefined, last: Float64Array, draw: number): Float64Array {
  return before ? last.map((x, i) => before[i] + (x - before[i]) / draw) : last;
}

/**
 * @param from the first example of the minibatch
 * @throws NonFiniteError that names the example, and the operation that gave it first
 */
function checkFinite(values: Float64Array, { output }: Outcome, { rows }: TaskBatch, from: number): void {
  const wrong = firstNonFinite(values);
  if (wrong < 0) return;
  const { plate, columns, tape } = output;
  const row = Math.floor(wrong / columns);
  const example = plate ? tape.plates.ownerRows(plate, tape.plates.examples(rows))[row] : row;
  const first = tape.firstNonFinite();
  throw new NonFiniteError(
    `What the network gives for example ${from + example + 1} is not finite; the operation "${first?.op}" in layer "${first?.layer}" gave it first. Expected numbers that it can compute with, and weights that training left finite.`,
  );
}
