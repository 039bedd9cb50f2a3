import type { Engine } from '../backend/engine.ts';
import type { DataKind, DataShape } from '../data/kinds.ts';
import { type DataKinds, dataKinds } from '../data/kinds.ts';
import type { TargetUnits } from '../data/targets.ts';
import { shorten } from '../math/text.ts';
import type { LayerSpec, Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { isObject } from '../schema/is-object.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { told } from '../tensor/told.ts';
import type { Link } from './link.ts';

/** How a number of a task reads. */
export interface Figure {
  /** As people call it: `error`, `ELBO`. */
  readonly title: string;
  /** `share` of 1, which is printed in percent; `nats`, `bits`, …; default: none. */
  readonly unit?: string;
  /** Digits after the point; default 4, of percent 2. */
  readonly digits?: number;
  /** The parts of the data that it is reported of; default: all. */
  readonly parts?: readonly Part[];
  /** On the training data the figure is this factor times the loss that is minimised. */
  readonly timesLoss?: number;
}

/** The data of a task: `count` examples, independent of each other. */
export interface TaskData {
  readonly name: string;
  readonly count: number;
  /** Hexadecimal SHA-256 of the contents. */
  readonly checksum: string;
}

/** A minibatch on the heap; valid until the next step. */
export interface TaskBatch {
  /** Examples. */
  readonly rows: number;
}

/** The three parts of an experiment's data. */
export interface Parts<D extends TaskData = TaskData> {
  readonly train: D;
  readonly valid: D;
  readonly test: D;
}

/** What a pass over a minibatch gave. */
export interface Outcome {
  /** The model's output. */
  readonly output: Tensor;
  /** One loss an example, e.g. in nats. */
  readonly losses: Tensor;
  /** Further losses that depend on no draw: tensors of one number an example, added to `losses`. */
  readonly also?: readonly Tensor[];
}

/** Numbers by name. */
export type Figures = Readonly<Record<string, number>>;

/** The answer for one example, as plain JSON. */
export type Answer = Readonly<Record<string, string | number | readonly (string | number)[]>>;

/** Which part of the data is assessed. */
export type Part = 'train' | 'valid' | 'test';

/**
 * What is minimised and what is measured. One loop trains every task. Events hold each metric under its name with the part of the data before
 * it: `error` is `trainError`, `validError` and `testError`.
 *
 * E and R are the types of its epoch and result events.
 */
export interface Task<
  D extends TaskData = TaskData,
  B extends TaskBatch = TaskBatch,
  E extends object = object,
  R extends object = object,
> {
  readonly name: string;
  /** Its options, as plain JSON: a run's record has them beside the name. Default: it has none. */
  readonly options?: Readonly<Record<string, string | number>>;
  /** How what is minimised reads; default: as a plain number. */
  readonly loss?: Figure;
  /** How the metrics read, by name; default: the one that chooses the best epoch, as a plain number. */
  readonly figures?: Readonly<Record<string, Figure>>;
  /** The kind of data that commands load for it; without one, it is trained from programs alone. */
  readonly data?: DataKind;
  /** Mean number of rows that the network computes for an example: points of its sequences; default 1. */
  points?(data: D): number;
  /** Numbers that a network has to give for such data; default: one a class, or one a target. */
  outputs?(data: D): number;
  /** The network for such data where none is asked for; the layer that gives the outputs may be left out. Default: the same as for classes. */
  layers?(data: D): readonly LayerSpec[];
  /** Defaults of a training. */
  readonly defaults: { readonly optimizer: 'sgd' | 'adam'; readonly batch: number };
  /** @throws RangeError when the data do not fit the model */
  check(model: Model, data: D): void;
  /** Changes a new model before its first step, knowing the training data. */
  begin?(model: Model, train: D): void;
  /** Puts examples on the heap of a step that has begun. */
  gather(engine: Engine, data: D, indices: ArrayLike<number>): B;
  /** Runs the model on a minibatch and says what training is to minimise: the mean over the examples. */
  run(model: Model, pass: Pass, batch: B): Outcome;
  /** Numbers of a minibatch that add up over the data: what metrics are made of. */
  measure(outcome: Outcome, batch: B): Figures;
  /** The metrics, from the sums of what `measure` gave and the number of examples. */
  metrics(sums: Figures, examples: number): Figures;
  /** Names of the figures of `measure` that are summed while training too; then epochs have the metrics of the training data. Default: none. */
  readonly counted?: readonly string[];
  /** The metric that the best epoch is chosen by, and whether less is better. */
  readonly best: { readonly metric: string; readonly better: 'less' | 'more' };
  /**
   * Measures a part of the data by passes of its own, in place of `measure` and `metrics` in the modes of inference.
   * @yields the number of examples done
   */
  assess?(model: Model, data: D, part: Part): Generator<number, Figures>;
  /** Do commands standardise the targets (mean 0, deviation 1) for training? See `TargetDataset.units`. */
  readonly standardizes?: true;
  /** The units of predictions for such data: output × spread + center. Default: outputs as they are. */
  units?(data: D): TargetUnits | undefined;
  /** What is averaged over draws of an ensemble; default: what the network gives, as it is. */
  readonly link?: Link;
  /**
   * How a prediction reads, as plain JSON.
   * @param values averages over the draws: of a sequence a row of `columns` a point
   * @param names of the classes or targets, where the data have some
   */
  tell?(values: Float64Array, columns: number, names?: readonly string[]): Answer;
  /** Further numbers of the result event, e.g. the draws of a bound. */
  readonly facts?: Figures;
  /** Never set: it carries the types of the events. */
  readonly events?: { readonly epoch: E; readonly result: R };
}

const FUNCTIONS = ['check', 'gather', 'run', 'measure', 'metrics'] as const;

/** @param where it is, for messages @throws RangeError for a task that lacks a part, from callers without types */
export function checkParts(task: Readonly<Record<string, unknown>>, where: string): void {
  const missing = FUNCTIONS.find((name) => typeof task[name] !== 'function');
  if (missing) throw new RangeError(`${where} has no \`${missing}\`. Expected a function.`);
  const { metric, better } = isObject(task.best) ? task.best : {};
  if (typeof metric !== 'string' || metric === '' || (better !== 'less' && better !== 'more'))
    throw new RangeError(`${where} has no \`best\`. Expected { metric: 'name', better: 'less' or 'more' }.`);
  if (!isObject(task.defaults))
    throw new RangeError(`${where} has no \`defaults\`. Expected { optimizer: 'adam', batch: 100 }.`);
}

/** Can predictions be made with it? @throws RangeError for what has no gather and run, from callers without types */
export function checkIsTask(task: unknown): void {
  const { gather, run } = (task ?? {}) as Partial<Task>;
  if (typeof gather === 'function' && typeof run === 'function') return;
  const given = isObject(task) ? 'an object without gather and run' : told(task);
  throw new RangeError(`The task is ${given}. Expected a task, such as \`regression()\` or \`resolveTask('ctc')\`.`);
}

/** Can a model be trained and assessed with it? @throws RangeError for what lacks a part of a task; the task's own errors for data that do not fit the model */
export function checkTask<D extends TaskData, B extends TaskBatch>(task: Task<D, B>, model: Model, data: D): void {
  checkIsTask(task);
  checkParts(task as unknown as Readonly<Record<string, unknown>>, `The task ${shorten(task.name)}`);
  if (!isObject(data))
    throw new RangeError(
      `The task "${task.name}" is given ${told(data)}. Expected its data, such as \`makeDataset\` makes.`,
    );
  task.check(model, data);
}

/** The form of a task's data. @throws RangeError for a task that does not say which kind it takes */
export function shapeOf({ name, data: kind, outputs }: Task, data: TaskData): DataShape {
  if (kind === undefined)
    throw new RangeError(
      `The task "${name}" does not say what data it takes. Expected \`data\`, one of ${Object.keys(dataKinds).join(', ')}.`,
    );
  const shape = dataKinds[kind](data as DataKinds[DataKind] as never);
  return outputs ? { ...shape, outputs: outputs(data) } : shape;
}

/** The keys of a record with a word before them: { error } → { validError }. */
export function prefixed<T>(word: string, figures: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`${word}${name[0].toUpperCase()}${name.slice(1)}`, value]),
  );
}

/** One pass over a minibatch. @throws RangeError where the task gives no losses */
export function runTask<B extends TaskBatch>(
  task: Pick<Task<never, B>, 'run'>,
  model: Model,
  pass: Pass,
  batch: B,
): Outcome {
  const outcome = task.run(model, pass, batch);
  for (const part of ['output', 'losses'] as const)
    pass.tape.checkResult(`The task, as \`${part}\`,`, (outcome as Partial<Outcome> | undefined)?.[part]);
  return outcome;
}

/** What `measure` or `metrics` of a task gave. @throws RangeError for something else than numbers by name */
export function checkFigures({ name }: Pick<Task, 'name'>, by: 'measure' | 'metrics', given: Figures): Figures {
  const byName = isObject(given) && !Array.isArray(given) && !(given instanceof Promise);
  const odd = byName ? Object.keys(given).find((key) => typeof given[key] !== 'number') : undefined;
  if (byName && odd === undefined) return given;
  const what = odd === undefined ? told(given) : `${told(given[odd])} as "${odd}"`;
  throw new RangeError(`The task "${name}": \`${by}\` gives ${what}. Expected numbers by name.`);
}

/** Of what `measure` gave of a minibatch, what is summed while training. @throws RangeError where one of them is no finite number: a sum would never be finite again */
export function countedOf(task: Pick<Task, 'name' | 'counted'>, given: Figures): Figures {
  const measured = checkFigures(task, 'measure', given);
  const { name, counted = [] } = task;
  for (const key of counted)
    if (!Number.isFinite(measured[key]))
      throw new RangeError(
        `The task "${name}": \`measure\` gives ${key in measured ? `${measured[key]} as` : 'no'} "${key}" while training. Expected a finite number, since \`counted\` names it.`,
      );
  return Object.fromEntries(counted.map((key) => [key, measured[key]]));
}

/** Sums of figures, name by name. */
export function added(a: Figures, b: Figures): Record<string, number> {
  const sums: Record<string, number> = { ...a };
  for (const [name, value] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + value;
  return sums;
}
