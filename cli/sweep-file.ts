import { basename, extname, resolve } from 'node:path';
import { checkSweep, type SweepDefinition } from '../src/index.ts';
import { PATH_SETTINGS } from '../src/runs/sweep/check-settings.ts';
import { UsageError } from './exit.ts';
import { codeOfSweep, type OwnFlags, ownCode } from './own-code.ts';
import { exportsOf, ownModule } from './own-file.ts';
import { sourceOf } from './run-folder.ts';

/**
 * The sweep that a file exports as default, and how many configurations it asks for: the definition has no more than the space.
 * @throws UsageError when there is no such file, it cannot be run, or it exports none; RangeError for a field that is wrong
 */
export async function sweepOfFile(
  file: string,
  flags: Pick<OwnFlags, 'net' | 'use'> = {},
): Promise<{ definition: SweepDefinition; asked: number }> {
  const path = resolve(file);
  const exported = await exportsOf(ownModule(file, 'a sweep'));
  if (exported.default === undefined)
    throw new UsageError(`${file} exports no default. Expected export default defineSweep({ space: { … } }).`);
  if (typeof exported.default === 'object' && exported.default !== null && 'code' in exported.default)
    throw new UsageError(`${file} has a field \`code\`. Expected --net FILE or --use FILE beside it instead.`);
  const definition = checkSweep(exported.default, basename(path, extname(path)));
  const { configurations: asked = definition.configurations } = exported.default as { configurations?: number };
  // What cannot be run is told before the sweep's name is taken.
  await ownCode(flags);
  const code = codeOfSweep(flags);
  return {
    definition: {
      ...definition,
      ...(code.length > 0 && { code }),
      train: withPaths(definition.train),
      space: withPaths(definition.space),
    },
    asked,
  };
}

/** Paths are those of the same files from any working folder. */
function withPaths<T extends object>(settings: T): T {
  const full = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(full);
    return typeof value === 'string' ? sourceOf(value) : value;
  };
  const entries = Object.entries(settings).map(([name, value]) => [
    name,
    PATH_SETTINGS.includes(name) ? full(value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}
