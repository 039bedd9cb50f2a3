/** By what the best epoch is chosen, and what is measured of it at the end. */
import type { Model } from '../nn/model.ts';
import { type Parts, prefixed, type Task, type TaskData } from '../tasks/task.ts';
import { calibrate } from './calibrate.ts';
import { evaluateTask, type TaskEvaluation } from './evaluate.ts';
import type { EpochFacts, InModes, MeasuredResult } from './events.ts';

/** A network with stochastic units is calibrated first, and measured in the mode that chooses the epoch. */
export function evaluateValid(
  model: Model,
  valid: TaskData,
  task: Task,
  mode: 'threshold' | 'mean-field' | 'sample' = 'threshold',
): TaskEvaluation {
  if (model.stochasticSites.length === 0) return evaluateTask(model, valid, task);
  calibrate(model, valid, undefined, task);
  return evaluateTask(model, valid, task, { mode });
}

/** The metric that chooses, as an epoch tells it: null for what is no finite number, once JSON has held it. @throws RangeError where it does not */
function metricOf({ name, best: { metric } }: Task, figures: object): number | null {
  const [[key]] = Object.entries(prefixed('valid', { [metric]: 0 }));
  const value = (figures as Readonly<Record<string, number | null | undefined>>)[key];
  if (value !== undefined) return value;
  throw new RangeError(
    `The task "${name}" chooses the best epoch by "${metric}", and gives ${Object.keys(figures).join(', ')}. Expected a metric of that name.`,
  );
}

/** Less is better; what is no finite number is no better than anything. @throws as `metricOf` */
export function scoreOf(task: Task, figures: object): number {
  const value = metricOf(task, figures);
  if (value === null || !Number.isFinite(value)) return Number.POSITIVE_INFINITY;
  return task.best.better === 'less' ? value : -value;
}

/** The metric that the best epoch was chosen by. */
export const bestOf = (task: Task, best: EpochFacts): object =>
  prefixed('valid', { [task.best.metric]: metricOf(task, best) });

/** What the model, which holds the weights of the best epoch, comes to on the test data. @param executed multiply-adds of an example while training */
export function measuredInModes(
  model: Model,
  data: Parts,
  task: Task,
  best: EpochFacts,
  executed: number,
): MeasuredResult {
  const [sampled, threshold, meanField] = (['sample', 'threshold', 'mean-field'] as const).map((mode) =>
    evaluateTask(model, data.test, task, { mode }),
  );
  const points = task.points?.(data.train) ?? 1;
  const metrics = Object.keys(sampled.metrics).map((name): [string, InModes] => [
    name,
    { sampled: sampled.metrics[name], threshold: threshold.metrics[name], meanField: meanField.metrics[name] },
  ]);
  return {
    ...prefixed('test', Object.fromEntries(metrics)),
    ...bestOf(task, best),
    trainLoss: best.trainLoss,
    density: sampled.density,
    flops: sampled.flops,
    training: { executed, all: points * (model.cost.dense + model.cost.gater) },
  };
}
