import { combinationsOf, type Variant, variants } from '../src/audit/variants.ts';
import type { Neuron, NeuronDefinition } from '../src/neurons/contract.ts';
import { zoo } from '../src/neurons/index.ts';
import { instantiate, resolveNeuron } from '../src/neurons/resolve.ts';
import { isObject } from '../src/schema/is-object.ts';
import { UsageError } from './exit.ts';
import { exportsOf, ownModule } from './own-file.ts';

/**
 * The neurons that a user's file exports, under any names: definitions, in every combination of their choices, or neurons ready for use.
 * @throws UsageError when there is no such file, it cannot be run, or it exports no neuron or a broken one
 */
export async function neuronsOfFile(file: string): Promise<Variant[]> {
  const found = (await valuesOf(file)).flatMap((value): Variant[] => {
    if (isDefinition(value)) return variants(value);
    return isNeuron(value) ? [{ text: value.name, neuron: value }] : [];
  });
  if (found.length === 0) throw noNeuron(file);
  // The same value under two names is one neuron.
  const once = found.filter(({ text }, i) => found.findIndex((other) => other.text === text) === i);
  for (const { text, neuron } of once) {
    const missing = missingPart(neuron);
    if (missing)
      throw new UsageError(`The neuron "${text}" of ${file} has no \`${missing[0]}\`. Expected ${missing[1]}.`);
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
    const found = (await valuesOf(file)).flatMap((value) =>
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
        throw new UsageError(`The neuron "${text}" of ${file} has no \`${missing[0]}\`. Expected ${missing[1]}.`);
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
    for (const value of await valuesOf(file)) {
      if (isNeuron(value) && value.name === text) return { text, neuron: value };
      if (!isDefinition(value)) continue;
      const combination = combinationsOf(value).find((one) => one.text === text);
      if (combination)
        return { text, neuron: instantiate(value, combination.given), definition: value, given: combination.given };
    }
  const own = (await Promise.all(files.map(valuesOf))).flat().filter(isDefinition);
  const neuron = resolveNeuron(text, undefined, own);
  const { name: asked } = neuron;
  const definition =
    own.find((one) => one.name === asked) ??
    ((zoo as Readonly<Record<string, unknown>>)[neuron.name] as NeuronDefinition);
  return { text, neuron, definition, given: neuron.options };
}

/** What a file exports, and what lists hold that it exports. */
async function valuesOf(file: string): Promise<unknown[]> {
  return Object.values(await exportsOf(ownModule(file, 'a neuron'))).flatMap((value) => value as unknown);
}

/**
 * The neurons among a file's exports, by name, also those in exported lists.
 * @throws UsageError for one that is broken, or two of one name
 */
export function neuronsAmong(exported: Readonly<Record<string, unknown>>, file: string): NeuronDefinition[] {
  const values = new Set(Object.values(exported).flatMap((value) => value as unknown));
  const found = [...values].flatMap((value): NeuronDefinition[] => {
    if (isDefinition(value)) return [value];
    return isNeuron(value) ? [definitionOf(value)] : [];
  });
  for (const definition of found) {
    const { name } = definition;
    if (found.some((other) => other !== definition && other.name === name))
      throw new UsageError(`${file} exports two neurons called "${name}". Expected names that differ.`);
    const missing = missingPart(instantiate(definition, {}));
    if (missing)
      throw new UsageError(`The neuron "${name}" of ${file} has no \`${missing[0]}\`. Expected ${missing[1]}.`);
  }
  return found;
}

/** A neuron that is ready for use, as one without options. */
const definitionOf = (neuron: Neuron): NeuronDefinition => {
  const { name, source, summary } = neuron;
  return { name, source, summary, options: {}, rule: () => neuron };
};

export const noNeuron = (file: string): UsageError =>
  new UsageError(
    `${file} exports no neuron. Expected a value made by \`defineNeuron\`, exported by name or as default.`,
  );

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
