import { basename, extname, resolve } from 'node:path';
import {
  checkSweep,
  parseLayers,
  resolveNeuron,
  resolveOptimizer,
  resolveTask,
  type SweepDefinition,
} from '../src/index.ts';
import { PATH_SETTINGS } from '../src/runs/sweep/check-settings.ts';
import { pathWord } from './command-line.ts';
import { UsageError } from './exit.ts';
import { codeOfSweep, codePath, type OwnCodeOf, type OwnFlags, ownCode } from './own-code.ts';
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
  // Refuse what cannot run before the sweep takes its name.
  checkNamed(definition, await ownCode(flags));
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

/** Settings that name a thing, and who knows the names. */
const NAMING: Readonly<Record<string, (text: string, own: OwnCodeOf) => unknown>> = {
  neuron: (text, { neurons }) => resolveNeuron(text, undefined, neurons),
  activation: (text, { neurons }) => resolveNeuron(text, undefined, neurons),
  layers: (text, { neurons }) => parseLayers(text, { neurons }),
  task: (text, { tasks }) => resolveTask(text, tasks),
  optimizer: (text) => resolveOptimizer(text),
};

/** @throws UsageError for a name that nobody knows: every trial with it would fail */
function checkNamed({ train, space }: SweepDefinition, own: OwnCodeOf): void {
  const given = [
    ...Object.entries(train).map(([name, value]) => ['train', name, [value]] as const),
    ...Object.entries(space).flatMap(([name, values]) =>
      Array.isArray(values) ? [['space', name, values as readonly unknown[]] as const] : [],
    ),
  ];
  for (const [where, name, values] of given)
    for (const value of values) {
      if (!Object.hasOwn(NAMING, name) || typeof value !== 'string') continue;
      const path = codePath(value);
      if (path !== undefined)
        throw new UsageError(
          `\`${where}.${name}\` is the path ${value}. Expected a name, and --use ${pathWord(path)} beside the sweep's file.`,
        );
      try {
        NAMING[name](value, own);
      } catch (error) {
        if (error instanceof RangeError) throw new UsageError(`\`${where}.${name}\`: ${error.message}`);
        throw error;
      }
    }
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
