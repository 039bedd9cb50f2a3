import type { Neuron, NeuronDefinition, OptionSpec } from '../neurons/contract.ts';
import { instantiate } from '../neurons/resolve.ts';
import { randomStream } from '../random/stream.ts';
import type { Variant } from './variants.ts';

/** Values between the ends of a number that are drawn. */
const INSIDE = 3;
/** First word of the path of the streams of values: the word "opts" in ASCII. */
const OPTIONS = 0x6f707473;
/** From so large a ratio of the ends on, values of all sizes are drawn alike. */
const WIDE = 50;

/** A neuron with one of its numbers elsewhere than usual. */
export interface OtherOptions {
  readonly text: string;
  readonly neuron: Neuron;
}

/**
 * A variant with each of its numbers at both ends of its range and at values in between that are drawn; combinations that the neuron
 * refuses with a RangeError are left out.
 */
export function otherOptions({ text, definition, given = {} }: Variant, seed: number, wide: number): OtherOptions[] {
  if (!definition) return [];
  return Object.entries(definition.options).flatMap(([option, spec], i) =>
    'choices' in spec
      ? []
      : valuesOf(spec, randomStream(seed, OPTIONS, i), INSIDE * wide).flatMap((value) =>
          made(
            definition,
            { ...given, [option]: value },
            `${text}${text.includes(':') ? ',' : ':'}${option}=${short(value)}`,
          ),
        ),
  );
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

function made(definition: NeuronDefinition, given: Record<string, string | number>, text: string): OtherOptions[] {
  try {
    return [{ text, neuron: instantiate(definition, given) }];
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/** Both ends, and values in between: of every part of the range one. */
function valuesOf(
  spec: Exclude<OptionSpec, { choices: readonly string[] }>,
  random: { uniform(): number },
  inside: number,
): number[] {
  const { minimum, maximum, whole } = spec;
  const sized = minimum > 0 && maximum / minimum > WIDE;
  const values = Array.from({ length: inside }, (_, i) => {
    const share = (i + random.uniform()) / inside;
    const value = sized ? minimum * (maximum / minimum) ** share : minimum + share * (maximum - minimum);
    return whole ? Math.round(value) : value;
  });
  return [...new Set([minimum, maximum, ...values])].filter((value) => value !== spec.default);
}
