import { existsSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkSweep, type SweepDefinition, type TrainSettings } from '../src/index.ts';
import { DATASET_NAMES } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';

/** Settings that a sweep can give to `train`. */
const SETTINGS = {
  data: 'path',
  dataDir: 'path',
  preset: 'plain',
  model: 'plain',
  neuron: 'plain',
  units: 'plain',
  blocks: 'plain',
  gater: 'plain',
  activation: 'plain',
  rate: 'plain',
  sparsity: 'plain',
  start: 'plain',
  nudge: 'plain',
  balance: 'plain',
  compute: 'plain',
  probe: 'plain',
  epochs: 'plain',
  batch: 'plain',
  optimizer: 'plain',
  lr: 'plain',
  gaterLr: 'plain',
  momentum: 'plain',
  maxNorm: 'plain',
  decay: 'plain',
  patience: 'plain',
  simd: 'plain',
  blas: 'plain',
} satisfies Record<keyof TrainSettings, 'path' | 'plain'>;

/**
 * The sweep that a file exports as default.
 * @throws UsageError when there is no such file, it cannot be run, or it exports none; RangeError for a field that is wrong
 */
export async function sweepOfFile(file: string): Promise<SweepDefinition> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new UsageError(`There is no file ${file}; a TypeScript or JavaScript file that exports a sweep would do.`);
  const exported = await import(pathToFileURL(path).href).catch((error: Error) => {
    throw new UsageError(`${file} cannot be run: ${error.message}`);
  });
  if (exported.default === undefined)
    throw new UsageError(`${file} exports no default; export default defineSweep({ space: { … } }) would do.`);
  const definition = checkSweep(exported.default, basename(path, extname(path)), Object.keys(SETTINGS));
  return { ...definition, train: withPaths(definition.train), space: withPaths(definition.space) };
}

/** Paths are those of the same files from any working folder. */
function withPaths<T extends object>(settings: T): T {
  const full = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(full);
    return typeof value === 'string' && !(DATASET_NAMES as readonly string[]).includes(value) ? resolve(value) : value;
  };
  const entries = Object.entries(settings).map(([name, value]) => [
    name,
    (SETTINGS as Record<string, string>)[name] === 'path' ? full(value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}
