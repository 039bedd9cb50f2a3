import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  combinationsOf,
  instantiate,
  type Neuron,
  type NeuronDefinition,
  resolveNeuron,
  type Variant,
  variants,
  zoo,
} from '../src/index.ts';
import { UsageError } from './exit.ts';

/**
 * The neurons that a user's file exports, under any names: definitions, in every combination of their choices, or neurons ready for use.
 * @throws UsageError when there is no such file, it cannot be run, or it exports no neuron or a broken one
 */
export async function neuronsOfFile(file: string): Promise<Variant[]> {
  const found = (await exportsOf(file)).flatMap((value): Variant[] => {
    if (isDefinition(value)) return variants(value);
    return isNeuron(value) ? [{ text: value.name, neuron: value }] : [];
  });
  if (found.length === 0) throw noNeuron(file);
  // The same value under two names is one neuron.
  const once = found.filter(({ text }, i) => found.findIndex((other) => other.text === text) === i);
  for (const { text, neuron } of once) {
    const missing = missingPart(neuron);
    if (missing)
      throw new UsageError(`The neuron "${text}" of ${file} has no \`${missing[0]}\`; ${missing[1]} would do.`);
  }
  return once;
}

/**
 * How the neurons of files are asked for, without making those whose making fails: the judge says so of each.
 * @throws UsageError as `neuronsOfFile`
 */
export async function textsOfFiles(files: readonly string[]): Promise<string[]> {
  const texts = new Set<string>();
  for (const file of files) {
    const found = (await exportsOf(file)).flatMap((value) =>
      isDefinition(value)
        ? combinationsOf(value).map(({ text, given }) => ({ text, make: () => instantiate(value, given) }))
        : isNeuron(value)
          ? [{ text: value.name, make: () => value }]
          : [],
    );
    if (found.length === 0) throw noNeuron(file);
    for (const { text, make } of found) {
      const made = attempt(make);
      const missing = made && missingPart(made);
      if (missing)
        throw new UsageError(`The neuron "${text}" of ${file} has no \`${missing[0]}\`; ${missing[1]} would do.`);
      texts.add(text);
    }
  }
  return [...texts];
}

const attempt = (make: () => Neuron): Neuron | undefined => {
  try {
    return make();
  } catch {
    return undefined;
  }
};

/** The neuron of the files that is asked for so, else the one of the zoo. */
export async function neuronNamed(text: string, files: readonly string[]): Promise<Variant> {
  for (const file of files)
    for (const value of await exportsOf(file)) {
      if (isNeuron(value) && value.name === text) return { text, neuron: value };
      if (!isDefinition(value)) continue;
      const combination = combinationsOf(value).find((one) => one.text === text);
      if (combination)
        return { text, neuron: instantiate(value, combination.given), definition: value, given: combination.given };
    }
  const neuron = resolveNeuron(text);
  const definition = (zoo as Readonly<Record<string, unknown>>)[neuron.name] as NeuronDefinition;
  return { text, neuron, definition, given: neuron.options };
}

/** What a file exports. */
async function exportsOf(file: string): Promise<unknown[]> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new UsageError(`There is no file ${file}; a TypeScript or JavaScript file that exports a neuron would do.`);
  return Object.values(await load(file, path));
}

const noNeuron = (file: string): UsageError =>
  new UsageError(
    `${file} exports no neuron: a value made by \`defineNeuron\`, exported by name or as default, would do.`,
  );

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
