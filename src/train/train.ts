import type { Dataset } from '../data/dataset.ts';
import type { Model } from '../nn/model.ts';
import { checkOptions } from '../schema/schema.ts';
import { classification } from '../tasks/classification.ts';
import type { Parts, Task, TaskBatch, TaskData } from '../tasks/task.ts';
import { alone, checkAlone } from './alone.ts';
import type { BatchEvent, EpochFacts, MeasureEvent, ResultFacts } from './events.ts';
import { trainOptionsSchema } from './settings.ts';
import type { Progress, TrainingState } from './state.ts';
import type { LoopOptions, TaskOptions, Training, TrainOptions } from './train-options.ts';
import { TrainingRun } from './training-run.ts';

/**
 * Trains a model, an event at a time: `for await (const event of train(model, data))`. The weights of the epoch with the
 * best validation metric of the task (by the mode that `validation` names, where there are stochastic units) stand in the model at the
 * end.
 * @throws RangeError for options, data or a state that do not fit, or a model that is being trained; NonFiniteError when the loss is NaN,
 * or the signal's reason
 */
export function train(model: Model, data: Parts<Dataset>, options?: TrainOptions): Training;
export function train<D extends TaskData, B extends TaskBatch, E extends object, R extends object>(
  model: Model,
  data: Parts<D>,
  options: TaskOptions<D, B, E, R>,
): Training<BatchEvent | MeasureEvent | (EpochFacts & E) | (ResultFacts & R), Progress<E>>;
export function train(
  model: Model,
  data: Parts,
  options: LoopOptions & { readonly task?: Task; readonly resume?: TrainingState<Progress> } = {},
): unknown {
  checkOptions(trainOptionsSchema, options, 'train');
  options.signal?.throwIfAborted();
  checkAlone(model);
  const run = new TrainingRun(model, data, options.task ?? (classification as unknown as Task), options);
  return Object.assign(alone(model, run.events()), { state: () => run.state() });
}
