import type { Task } from '../src/index.ts';
import { isObject } from '../src/io/json.ts';
import { UsageError } from './exit.ts';

const FUNCTIONS = ['check', 'gather', 'run', 'measure', 'metrics'] as const;

/** Does it look like a task, complete or not? */
const isTask = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && typeof value.name === 'string' && typeof value.gather === 'function' && isObject(value.best);

/**
 * The tasks among a file's exports, by name.
 * @throws UsageError for one that lacks a part
 */
export function tasksAmong(exported: Readonly<Record<string, unknown>>, file: string): Task[] {
  const found = [...new Set(Object.values(exported).flatMap((value) => value as unknown))].filter(isTask);
  for (const task of found) {
    const missing = FUNCTIONS.find((name) => typeof task[name] !== 'function');
    const where = `The task "${task.name}" of ${file}`;
    if (missing) throw new UsageError(`${where} has no \`${missing}\`. Expected a function.`);
    const { metric, better } = task.best as Readonly<Record<string, unknown>>;
    if (typeof metric !== 'string' || (better !== 'less' && better !== 'more'))
      throw new UsageError(`${where} has no \`best\`. Expected { metric: 'name', better: 'less' or 'more' }.`);
    if (!isObject(task.defaults))
      throw new UsageError(`${where} has no \`defaults\`. Expected { optimizer: 'adam', batch: 100 }.`);
  }
  return found as unknown as Task[];
}
