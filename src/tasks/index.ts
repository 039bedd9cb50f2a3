/** Every task. Adding one: a file beside this one, and a line here. */

import { suggest } from '../math/text.ts';
import { isObject } from '../schema/is-object.ts';
import type { Schema } from '../schema/schema.ts';
import { closed, oneOf, optional, problemOf, whole } from '../schema/schema.ts';
import { told } from '../tensor/told.ts';
import { classification } from './classification.ts';
import { ctc } from './ctc.ts';
import { multiLabel } from './multi-label.ts';
import { nextToken } from './next-token.ts';
import { type Reading, readingOf } from './reading.ts';
import { regression, regressionLosses } from './regression.ts';
import type { Task } from './task.ts';
import { vae } from './vae.ts';

type Options = Readonly<Record<string, string | number>>;

/** A shipped task. */
interface ShippedTask {
  /** What its options may be. */
  readonly options: Readonly<Record<string, Schema>>;
  /** The task with these options. */
  make(options: Options): Task;
}

/** Draws for the bound of an autoencoder: each costs a pass over the data. */
const MOST_SAMPLES = 100_000;

/** One without options. */
const fixed = (task: unknown): ShippedTask => ({ options: {}, make: () => task as Task });

/** Every shipped task by name. */
export const tasks = {
  classification: fixed(classification),
  regression: {
    options: {
      /** What is minimised. */
      loss: optional(oneOf(regressionLosses)),
    },
    /** The task with these options. */
    make: (options) => regression(options) as unknown as Task,
  },
  'multi-label': fixed(multiLabel),
  'next-token': fixed(nextToken),
  ctc: fixed(ctc),
  vae: {
    options: { samples: optional(whole(1, MOST_SAMPLES)) },
    /** The task with these options. */
    make: (options) => vae(options) as unknown as Task,
  },
} satisfies Record<string, ShippedTask>;
/** Name of a shipped task. */
export type TaskName = keyof typeof tasks;

const shipped = (name: string): ShippedTask | undefined =>
  Object.hasOwn(tasks, name) ? (tasks as Readonly<Record<string, ShippedTask>>)[name] : undefined;

/** A task as plain JSON: a shipped one's name and options; of one's own how its numbers read, its code being elsewhere. */
export interface TaskDescription {
  readonly name: string;
  readonly options?: Options;
  readonly reading?: Reading;
}

/** A task as plain JSON: name, options, and for one of the user’s own how its metrics read. */
export function describeTask(task: Task): TaskDescription {
  const { name, options } = task;
  return {
    name,
    ...(options && { options }),
    ...(!shipped(name) && { reading: readingOf(task) }),
  };
}

/** A text or a description as a name with options: `regression:loss=huber`. @throws RangeError for what cannot be read */
function partsOf(spec: string | TaskDescription): TaskDescription {
  if (typeof spec !== 'string') {
    if (isObject(spec) && typeof spec.name === 'string') return spec;
    throw new RangeError(
      `The task is ${told(spec)}. Expected its name, such as 'regression:loss=huber', or its description.`,
    );
  }
  const [name, rest] = spec.split(/:(.*)/s);
  if (rest === undefined) return { name };
  const pairs = rest.split(',').map((pair): [string, string | number] => {
    const [key, value = ''] = pair.split(/=(.*)/s);
    return [key, value !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
  });
  return { name, options: Object.fromEntries(pairs) };
}

/**
 * A task by name with its options, or by its description.
 * @param own tasks of one's own, known by name
 * @throws RangeError for one that there is not, or options that it cannot have
 */
export function resolveTask(spec: string | TaskDescription, own: readonly Task[] = []): Task {
  const { name, options = {} } = partsOf(spec);
  const mine = own.find((task) => task.name === name);
  if (mine) return mine;
  const known = shipped(name);
  if (!known)
    throw new RangeError(
      `There is no task "${name}". ${suggest(name, [...Object.keys(tasks), ...own.map((task) => task.name)])}`,
    );
  const problem = problemOf(closed(known.options), options, `the task "${name}"`);
  if (problem !== undefined) throw new RangeError(problem[0].toUpperCase() + problem.slice(1));
  return known.make(options);
}

/** Is it a task whose code is shipped? */
export const isShippedTask = (name: string): boolean => shipped(name) !== undefined;

/** How the numbers of a described task read. @throws RangeError as `resolveTask`, for one that is neither shipped nor says it */
export const readingOfDescription = (task: TaskDescription): Reading =>
  (shipped(task.name) === undefined ? task.reading : undefined) ?? readingOf(resolveTask(task));
