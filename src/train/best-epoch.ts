/** By what the best epoch is chosen, and what is measured of it at the end. */
import type { Model } from '../nn/model.ts';
import { type Parts, prefixed, type Task, type TaskData } from '../tasks/task.ts';
import { calibrate } from './calibrate.ts';
import { evaluateTask, type TaskEvaluation } from './evaluate.ts';
import type { EpochFacts, InModes, MeasuredResult } from './events.ts';

/** Measures the validation data in one mode. A network with stochastic units is calibrated first. @param mode of the measurement that chooses the epoch */
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

/** The name of a metric in an epoch's event: `error` is `validError`. */
const keyOf = (metric: string): string => Object.keys(prefixed('valid', { [metric]: 0 }))[0];

/**
 * The metric that chooses the best epoch.
 * @param figures of an epoch's event; read back from JSON, a number that was not finite is null
 * @throws RangeError where they do not have it
 */
function metricOf({ name, best: { metric } }: Task, figures: object): number | null {
  const value = (figures as Readonly<Record<string, number | null | undefined>>)[keyOf(metric)];
  if (value !== undefined) return value;
  throw new RangeError(
    `The task "${name}" chooses the best epoch by "${metric}", and an epoch has ${Object.keys(figures).join(', ')}. Expected \`metrics\` to give "${metric}", which makes ${keyOf(metric)}.`,
  );
}

/** A score of an epoch, less being better: Infinity where the metric is not finite. @throws as `metricOf` */
export function scoreOf(task: Task, figures: object): number {
  const value = metricOf(task, figures);
  if (value === null || !Number.isFinite(value)) return Number.POSITIVE_INFINITY;
  return task.best.better === 'less' ? value : -value;
}

/** The metric that chose the best epoch, by its name in events. */
export const bestOf = (task: Task, best: EpochFacts): object =>
  prefixed('valid', { [task.best.metric]: metricOf(task, best) });

/**
 * Measures the test data in three modes.
 * @param model holds the weights of the best epoch
 * @param executed multiply-adds of a forward pass of one example while training
 */
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
