import { estimatePoints } from '../../src/audit/grid.ts';
import type { Neuron, NeuronDefinition, NeuronState, OptionSpec } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { randomStream } from '../../src/random/stream.ts';
import { drawsOf } from '../../src/tensor/draws.ts';
import { startingState } from '../../src/tensor/starting-state.ts';
import { full } from '../helpers/extent.ts';

/** A neuron with one choice of its options, and the text that asks for it. */
export interface Instance {
  readonly title: string;
  readonly neuron: Neuron;
}

/** Half of a number's default and twice it, within its bounds; of whole numbers the least, and one more than the default. */
function others(spec: OptionSpec): readonly number[] {
  if ('choices' in spec) return [];
  const within = (value: number): number => Math.min(spec.maximum, Math.max(spec.minimum, value));
  // A 0 stands for another option: of one unit kept alone, softmax has no gradient, and of two that are all, no bias.
  const whole = spec.default === 0 ? [] : [spec.minimum, spec.default + 1];
  const wanted = spec.whole ? whole : [spec.default / 2, spec.default * 2];
  return [...new Set(wanted.map(within))].filter((value) => value !== spec.default);
}

/** Every combination of choices; for each, the numbers at their defaults, and one number at a time at another value. */
function choices(definition: NeuronDefinition): string[] {
  const options = Object.entries(definition.options);
  const words = options.reduce<string[][]>(
    (texts, [option, spec]) =>
      'choices' in spec ? texts.flatMap((text) => spec.choices.map((value) => [...text, `${option}=${value}`])) : texts,
    [[]],
  );
  const numbers = options.flatMap(([option, spec]) => others(spec).map((value) => [`${option}=${value}`]));
  return words.flatMap((text) => [[], ...numbers].map((number) => [...text, ...number].join(',')));
}

/** Every neuron of the registry with its options at values of all kinds, or at the first of these alone. */
const instancesWith = (most?: number): readonly Instance[] =>
  Object.entries(zoo).flatMap(([name, definition]) =>
    choices(definition as unknown as NeuronDefinition)
      .slice(0, most)
      .map((options) => {
        const title = options ? `${name}:${options}` : name;
        return { title, neuron: resolveNeuron(title) };
      }),
  );

/** At values of all kinds. */
export const allInstances = instancesWith();
/** The same; in `npm test`, at their first values. */
export const instances = full ? allInstances : instancesWith(1);

/** Evaluations of the loss in one exact integration over several units, and points in that over one, at most. */
const EVALUATIONS = 11_000;
const POINTS = 25_000;

/** About how many points the grid over so many units has. */
const pointsOf = (neuron: Neuron, units: number): number => estimatePoints(neuron, new Float64Array(units).fill(0.3));

/** The fewest units that show what a neuron does: one of a group alone emits 1. */
const fewest = ({ group }: Neuron): number => (group ? 2 : 1);

/** Can that be integrated exactly? Of many noise numbers that the gradient is a smooth function of it cannot. */
export const isIntegrable = (neuron: Neuron): boolean => pointsOf(neuron, fewest(neuron)) <= POINTS;

/** How many units the exact integration of a neuron is tested with: up to eight; 0 where the fewest have too large a grid. */
export function integrableUnits(neuron: Neuron): number {
  // Beside a whole group, the first unit of another one: the true gradient takes time.
  const most = Math.min(8, neuron.mostUnits ?? 8, (neuron.group ?? 8) + 1);
  const fits = (units: number): boolean =>
    units <= most && pointsOf(neuron, units) * drawsOf(neuron, units) <= EVALUATIONS;
  return [8, 7, 6, 5, 4, 3, 2].find(fits) ?? (isIntegrable(neuron) ? fewest(neuron) : 0);
}

/** At least so many units, and where a rule fixes how many are open, enough that two are. */
export function unitsWithTwoOpen(neuron: Neuron, least: number): number {
  let units = least;
  while (neuron.opens && neuron.opens(units) < 2) {
    if (units > 1000) throw new RangeError(`"${neuron.name}" opens one unit only, with these options.`);
    units++;
  }
  return units;
}

/** A function of (row, unit) as a row-major array. */
export function fill(rows: number, units: number, value: (row: number, unit: number) => number): Float64Array {
  return Float64Array.from({ length: rows * units }, (_, i) => value(Math.floor(i / units), i % units));
}

/** State with random positive numbers. */
export function randomState(neuron: Neuron, units: number, seed: number): NeuronState {
  return Object.fromEntries(
    Object.entries(startingState(neuron, units)).map(([name, start], i) => {
      const random = randomStream(seed, 900, i);
      return [name, start.map(() => 0.1 + random.uniform())];
    }),
  );
}
