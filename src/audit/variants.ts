import type { Neuron, NeuronDefinition } from '../neurons/contract.ts';
import { instantiate } from '../neurons/resolve.ts';

/** A neuron with one choice of its options, and the text that asks for it. */
export interface Variant {
  readonly text: string;
  readonly neuron: Neuron;
  /** What it is made of, where its other options are to be known too, and the choices that were made. */
  readonly definition?: NeuronDefinition;
  readonly given?: Readonly<Record<string, string | number>>;
}

/** Every combination of an estimator's choices of words, its numbers at their defaults; the default combination first. */
export function variants(definition: NeuronDefinition): Variant[] {
  return combinationsOf(definition).map(({ text, given }) => {
    return { text, neuron: instantiate(definition, given), definition, given };
  });
}

/** The same without the neurons. */
export function combinationsOf(definition: NeuronDefinition): { text: string; given: Record<string, string> }[] {
  const choices = Object.entries(definition.options).flatMap(([option, spec]) =>
    'choices' in spec
      ? [[option, [spec.default, ...spec.choices.filter((choice) => choice !== spec.default)], spec.default] as const]
      : [],
  );
  const combinations = choices.reduce<Record<string, string>[]>(
    (all, [option, values]) => all.flatMap((given) => values.map((value) => ({ ...given, [option]: value }))),
    [{}],
  );
  return combinations.map((given) => {
    const named = choices.flatMap(([option, , usual]) =>
      given[option] === usual ? [] : [`${option}=${given[option]}`],
    );
    return { text: named.length === 0 ? definition.name : `${definition.name}:${named.join(',')}`, given };
  });
}
