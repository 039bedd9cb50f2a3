import { existsSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkSweep, type SweepDefinition } from '../src/index.ts';
import { DATASET_NAMES } from '../src/platform/node/index.ts';
import { PATH_SETTINGS } from '../src/runs/sweep/check-settings.ts';
import { UsageError } from './exit.ts';

/**
 * The sweep that a file exports as default, and how many configurations it asks for: the definition has no more than the space.
 * @throws UsageError when there is no such file, it cannot be run, or it exports none; RangeError for a field that is wrong
 */
export async function sweepOfFile(file: string): Promise<{ definition: SweepDefinition; asked: number }> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new UsageError(`There is no file ${file}; a TypeScript or JavaScript file that exports a sweep would do.`);
  const exported = await import(pathToFileURL(path).href).catch((error: Error) => {
    throw new UsageError(`${file} cannot be run: ${error.message}`);
  });
  if (exported.default === undefined)
    throw new UsageError(`${file} exports no default; export default defineSweep({ space: { … } }) would do.`);
  const definition = checkSweep(exported.default, basename(path, extname(path)));
  const { configurations: asked = definition.configurations } = exported.default as { configurations?: number };
  return {
    definition: { ...definition, train: withPaths(definition.train), space: withPaths(definition.space) },
    asked,
  };
}

/** Paths are those of the same files from any working folder. */
function withPaths<T extends object>(settings: T): T {
  const full = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(full);
    return typeof value === 'string' && !(DATASET_NAMES as readonly string[]).includes(value) ? resolve(value) : value;
  };
  const entries = Object.entries(settings).map(([name, value]) => [
    name,
    PATH_SETTINGS.includes(name) ? full(value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}
