import { shorten } from '../io/json.ts';
import { isObject } from '../schema/is-object.ts';
import { StorageError } from './folder.ts';
import { upgraded } from './format-1.ts';
import type { RunRecord } from './record.ts';
import { renamed } from './renamed.ts';

/** Settings of a run by section, as plain JSON. */
export type RunSettings = Readonly<Record<string, unknown>>;

/**
 * What a run's training follows from, beside its state. It may not change while the run goes on, and stands in every checkpoint. Left out
 * is what may: epochs, patience, logs, and where the data lie.
 */
export function settingsOf({ task, model, training, seed, data, engine }: RunRecord): RunSettings {
  const { epochs: _, patience: __, ...told } = training;
  const { source: ___, name: ____, ...facts } = data;
  return JSON.parse(JSON.stringify({ task, model, training: told, seed, data: facts, engine }));
}

/**
 * Compares a run's record with the settings of its checkpoint.
 * @param sections those that matter; default all
 * @throws StorageError in a sentence that names the first setting that differs
 */
export function checkSettings(
  record: RunRecord,
  { settings, name }: { readonly settings?: unknown; readonly name: string },
  where: string,
  sections?: readonly string[],
): void {
  if (settings === undefined) return;
  const kept = isObject(settings) && settings.task === undefined ? upgraded(settings, name) : settings;
  const then = isObject(kept) ? renamed(kept) : kept;
  const found = firstDifference(pick(then, sections), pick(settingsOf(record), sections));
  if (!found) return;
  const [before, now] = [found.then, found.now].map((value) => (value === undefined ? 'not there' : shorten(value)));
  throw new StorageError(
    `\`${found.path}\` of ${where} is ${now}, and ${name} was trained with ${before}. Expected the settings that the run began with; a new run takes others.`,
  );
}

const pick = (settings: unknown, sections: readonly string[] | undefined): unknown =>
  sections && isObject(settings) ? Object.fromEntries(sections.map((name) => [name, settings[name]])) : settings;

/** The first place at which two pieces of JSON differ. */
function firstDifference(
  then: unknown,
  now: unknown,
  path = '',
): { path: string; then: unknown; now: unknown } | undefined {
  if (!isObject(then) || !isObject(now) || Array.isArray(then) !== Array.isArray(now))
    return then === now ? undefined : { path, then, now };
  const inside = (name: string) => (path === '' ? name : Array.isArray(then) ? `${path}[${name}]` : `${path}.${name}`);
  for (const name of new Set([...Object.keys(then), ...Object.keys(now)])) {
    const found = firstDifference(then[name], now[name], inside(name));
    if (found) return found;
  }
  return undefined;
}
