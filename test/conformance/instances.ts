import { unitNodes } from '../../src/audit/integrate.ts';
import type { Neuron, NeuronDefinition, NeuronState, OptionSpec } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { randomStream } from '../../src/random/stream.ts';

/** A neuron with one choice of its options, and the text that asks for it. */
export interface Instance {
  readonly title: string;
  readonly neuron: Neuron;
}

/** The values of an option that the suites go through: every choice; of a number its default, half of it and twice it. */
function valuesOf(spec: OptionSpec): readonly (string | number)[] {
  if ('choices' in spec) return spec.choices;
  const within = (value: number): number => Math.min(spec.maximum, Math.max(spec.minimum, value));
  return [...new Set([spec.default, within(spec.default / 2), within(spec.default * 2)])];
}

function choices(definition: NeuronDefinition): string[] {
  return Object.entries(definition.options).reduce<string[]>(
    (texts, [option, spec]) =>
      texts.flatMap((text) => valuesOf(spec).map((value) => `${text}${text ? ',' : ''}${option}=${value}`)),
    [''],
  );
}

/** Every neuron of the registry with every choice of its options. */
export const instances: readonly Instance[] = Object.entries(zoo).flatMap(([name, definition]) =>
  choices(definition as unknown as NeuronDefinition).map((options) => {
    const title = options ? `${name}:${options}` : name;
    return { title, neuron: resolveNeuron(title) };
  }),
);

/** How many units the exact integration of a neuron is tested with: at most eight, and 20,000 points of the grid. */
export function integrableUnits(neuron: Neuron): number {
  const nodes = unitNodes(neuron, 0.3).length;
  return nodes === 1 ? 8 : Math.min(8, Math.floor(Math.log(20_000) / Math.log(nodes)));
}

/** A function of (row, unit) as a row-major array. */
export function fill(rows: number, units: number, value: (row: number, unit: number) => number): Float64Array {
  return Float64Array.from({ length: rows * units }, (_, i) => value(Math.floor(i / units), i % units));
}

/** State with random positive numbers. */
export function randomState(neuron: Neuron, units: number, seed: number): NeuronState {
  return Object.fromEntries(
    Object.keys(neuron.state ?? {}).map((name, i) => {
      const random = randomStream(seed, 900, i);
      return [name, Float64Array.from({ length: units }, () => 0.1 + random.uniform())];
    }),
  );
}
