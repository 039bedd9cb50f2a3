import type { Task } from '../src/index.ts';
import { isObject } from '../src/schema/is-object.ts';
import { checkParts } from '../src/tasks/task.ts';

/** Does it look like a task, complete or not? */
const isTask = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && typeof value.name === 'string' && typeof value.gather === 'function' && isObject(value.best);

/**
 * The tasks among a file's exports, by name.
 * @throws RangeError for one that lacks a part
 */
export function tasksAmong(exported: Readonly<Record<string, unknown>>, file: string): Task[] {
  const found = [...new Set(Object.values(exported).flatMap((value) => value as unknown))].filter(isTask);
  for (const task of found) checkParts(task, `The task "${task.name}" of ${file}`);
  return found as unknown as Task[];
}
