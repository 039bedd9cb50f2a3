import { shorten, suggest } from '../math/text.ts';
import type { Neuron, NeuronDefinition, OptionSpec } from './contract.ts';
import { type NeuronName, zoo } from './index.ts';

/**
 * How a neuron is asked for: a name, a name with options `'noisy-rectifier:noise=logistic,scale=0.5'`, an object, or a
 * neuron (or definition) of one's own.
 */
export type NeuronSpec =
  | NeuronName
  | (string & {})
  | { readonly name: NeuronName | (string & {}); readonly [option: string]: string | number }
  | Neuron
  | NeuronDefinition;

/**
 * The neuron that a spec asks for, its options checked and completed with their defaults.
 * @param rate the default of options that follow a layer's target rate
 * @param own neurons of one's own that are known by name too
 * @throws RangeError for an unknown name (with the nearest known one), an unknown option or a value out of bounds
 */
export function resolveNeuron(spec: NeuronSpec, rate?: number, own: readonly NeuronDefinition[] = []): Neuron {
  if (typeof spec === 'string') return resolveNeuron(parseSpec(spec), rate, own);
  if (typeof spec !== 'object' || spec === null || typeof spec.name !== 'string')
    throw new RangeError(
      `A neuron is ${shorten(spec)}. Expected its name, an object with its name and options, or a neuron of your own.`,
    );
  if ('fire' in spec) return spec as Neuron;
  if ('rule' in spec) return instantiate(spec as NeuronDefinition, {}, rate);
  const { name, ...options } = spec as { name: string; [option: string]: string | number };
  const definition = own.find((one) => one.name === name) ?? shipped(name);
  if (!definition)
    throw new RangeError(
      `There is no neuron "${name}". ${calledHere(name)}${suggest(name, [...own.map((one) => one.name), ...Object.keys(zoo)])}`,
    );
  return instantiate(definition, options, rate);
}

/** Names that other libraries and papers have for neurons of the zoo. */
const ELSEWHERE: Readonly<Record<string, NeuronName>> = {
  relu: 'rectifier',
  leakyrelu: 'leaky-rectifier',
  bernoulli: 'stochastic-binary',
  reinforce: 'stochastic-binary',
  ste: 'straight-through',
  gumbelsoftmax: 'categorical-concrete',
  gumbelsigmoid: 'concrete',
  identity: 'linear',
};

/** The name that the zoo has for one of other libraries, as the start of a suggestion; empty for others. */
function calledHere(name: string): string {
  const here = Object.hasOwn(ELSEWHERE, key(name)) ? ELSEWHERE[key(name)] : undefined;
  return here === undefined ? '' : `It is called "${here}" here. `;
}
const key = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');

const shipped = (name: string): NeuronDefinition | undefined =>
  Object.hasOwn(zoo, name) ? ((zoo as Record<string, unknown>)[name] as NeuronDefinition) : undefined;

/** A neuron as plain JSON: by name and options. Of one of one's own it is the name that asks for it. */
export function neuronDescription(spec: NeuronSpec): string | { name: string; [option: string]: string | number } {
  if (typeof spec === 'string') return spec;
  if ('fire' in spec) return { name: spec.name as string, ...(spec.options as Record<string, string | number>) };
  if ('rule' in spec) return { name: spec.name as string };
  return spec as { name: string; [option: string]: string | number };
}

/** The text that asks for a neuron: `noisy-rectifier:noise=logistic,scale=0.5`. */
export function neuronText(spec: NeuronSpec): string {
  const described = neuronDescription(spec);
  if (typeof described === 'string') return described;
  const { name, ...options } = described;
  const pairs = Object.entries(options).map(([option, value]) => `${option}=${value}`);
  return pairs.length === 0 ? name : `${name}:${pairs.join(',')}`;
}

/** The name of the neuron that a spec asks for. */
export function neuronName(spec: NeuronSpec): string {
  const described = neuronDescription(spec);
  return typeof described === 'string' ? parseSpec(described).name : described.name;
}

/** A definition with its options filled in. */
export function instantiate(
  definition: NeuronDefinition,
  given: Readonly<Record<string, string | number>>,
  rate?: number,
): Neuron {
  const specs = Object.entries(definition.options);
  for (const option of Object.keys(given))
    if (!Object.hasOwn(definition.options, option))
      throw new RangeError(
        `The neuron "${definition.name}" has no option "${option}". ${specs.length ? suggest(option, Object.keys(definition.options)) : 'It takes no options.'}`,
      );
  const options = Object.fromEntries(
    specs.map(([name, spec]) => [name, checked(definition.name, name, spec, given[name] ?? defaultOf(spec, rate))]),
  );
  const { name, source, summary } = definition;
  return { ...definition.rule(options as never), name, source, summary, options };
}

function defaultOf(spec: OptionSpec, rate: number | undefined): string | number {
  return 'follows' in spec ? (rate ?? spec.default) : spec.default;
}

function parseSpec(text: string): { name: string; [option: string]: string } {
  const colon = text.indexOf(':');
  if (colon < 0) return { name: text };
  const pairs = text
    .slice(colon + 1)
    .split(',')
    .map((pair) => pair.split('='));
  for (const pair of pairs)
    if (pair.length !== 2)
      throw new RangeError(`"${text}" is not a neuron with options; write it as name:option=value,option=value.`);
  return { ...Object.fromEntries(pairs), name: text.slice(0, colon) };
}

function checked(neuron: string, name: string, spec: OptionSpec, value: string | number): string | number {
  if ('choices' in spec) {
    if (spec.choices.includes(String(value))) return String(value);
    throw new RangeError(`Option "${name}" of "${neuron}" is "${value}". ${suggest(String(value), spec.choices)}`);
  }
  const number = Number(value);
  if (number >= spec.minimum && number <= spec.maximum && !(spec.whole && !Number.isInteger(number))) return number;
  throw new RangeError(
    `Option "${name}" of "${neuron}" is "${value}". Expected a ${spec.whole ? 'whole ' : ''}number from ${spec.minimum} to ${spec.maximum}.`,
  );
}
