import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Neuron, type NeuronDefinition, type Variant, variants } from '../src/index.ts';
import { UsageError } from './exit.ts';

/**
 * The neurons that a user's file exports, under any names: definitions, in every combination of their choices, or neurons ready for use.
 * @throws UsageError when there is no such file, it cannot be run, or it exports no neuron or a broken one
 */
export async function neuronsOfFile(file: string): Promise<Variant[]> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new UsageError(`There is no file ${file}; a TypeScript or JavaScript file that exports a neuron would do.`);
  const exported = Object.values(await load(file, path));
  const found = exported.flatMap((value): Variant[] => {
    if (isDefinition(value)) return variants(value);
    return isNeuron(value) ? [{ text: value.name, neuron: value }] : [];
  });
  if (found.length === 0)
    throw new UsageError(
      `${file} exports no neuron: a value made by \`defineNeuron\`, exported by name or as default, would do.`,
    );
  // The same value under two names is one neuron.
  const once = found.filter(({ text }, i) => found.findIndex((other) => other.text === text) === i);
  for (const { text, neuron } of once) {
    const missing = missingPart(neuron);
    if (missing)
      throw new UsageError(`The neuron "${text}" of ${file} has no \`${missing[0]}\`; ${missing[1]} would do.`);
  }
  return once;
}

async function load(file: string, path: string): Promise<object> {
  try {
    return (await import(pathToFileURL(path).href)) as object;
  } catch (error) {
    throw new UsageError(`${file} cannot be run: ${(error as Error).message}`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isDefinition = (value: unknown): value is NeuronDefinition =>
  isObject(value) && typeof value.rule === 'function' && typeof value.name === 'string' && isObject(value.options);

const isNeuron = (value: unknown): value is Neuron =>
  isObject(value) && typeof value.fire === 'function' && typeof value.name === 'string';

/** The first part of the contract that is not there, and what it should be. */
function missingPart(neuron: Neuron): readonly [string, string] | undefined {
  const reads = ['loss', 'cotangent', 'cotangent-when-open', 'both'];
  const ranges = ['unit-interval', 'non-negative', 'real'];
  const given = neuron as unknown as Record<string, unknown>;
  const functions = ['fire', 'pullback', 'expect', 'whenOpen'].find((name) => typeof given[name] !== 'function');
  if (functions) return [functions, 'a function'];
  if (!Number.isInteger(neuron.noise) || neuron.noise < 0) return ['noise', 'a whole number of uniforms from 0 up'];
  if (!reads.includes(neuron.reads)) return ['reads', `one of ${reads.join(', ')}`];
  if (!ranges.includes(neuron.range)) return ['range', `one of ${ranges.join(', ')}`];
  if (typeof neuron.claims?.unbiased !== 'boolean') return ['claims.unbiased', 'true or false'];
  return undefined;
}
