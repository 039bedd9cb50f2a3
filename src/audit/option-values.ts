import type { Neuron, NeuronDefinition, OptionSpec } from '../neurons/contract.ts';
import { instantiate } from '../neurons/resolve.ts';
import { randomStream } from '../random/stream.ts';
import type { Variant } from './variants.ts';

/** Values between the ends of a number that are drawn: of a neuron that is judged quickly, and of others. */
const [INSIDE_OF_QUICK, INSIDE] = [16, 3];
/** Combinations of all numbers, where there are several; they are spread evenly. */
const [COMBINATIONS_OF_QUICK, COMBINATIONS] = [8, 2];
/** The step along the first number; its powers along the others. Source: Roberts 2018, the R2 sequence. */
const EVENLY = 0.7548776662466927;
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
 * A variant with each of its numbers at both ends of its range and at values in between that are drawn, and with all of them drawn together;
 * combinations that the neuron refuses with a RangeError are left out.
 * @param isQuick many values in between?
 */
export function otherOptions(
  { text, definition, given = {} }: Variant,
  seed: number,
  wide: number,
  isQuick: boolean,
): OtherOptions[] {
  if (!definition) return [];
  const numbers = Object.entries(definition.options).flatMap(([option, spec], i) =>
    'choices' in spec ? [] : [{ option, spec, random: randomStream(seed, OPTIONS, i) }],
  );
  const inside = (isQuick ? INSIDE_OF_QUICK : INSIDE) * wide;
  const single = numbers.flatMap(({ option, spec, random }) =>
    valuesOf(spec, random, inside).map((value) => ({ [option]: value })),
  );
  const starts = numbers.map(({ random }) => random.uniform());
  const combinations = numbers.length > 1 ? (isQuick ? COMBINATIONS_OF_QUICK : COMBINATIONS) * wide : 0;
  const several = Array.from({ length: combinations }, (_, k) =>
    Object.fromEntries(
      numbers.map(({ option, spec }, i) => [option, between(spec, (starts[i] + k * EVENLY ** (i + 1)) % 1)]),
    ),
  );
  return [...single, ...several].flatMap((values) => {
    const said = Object.entries(values).map(([option, value]) => `${option}=${short(value)}`);
    return made(definition, { ...given, ...values }, `${text}${text.includes(':') ? ',' : ':'}${said.join()}`);
  });
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

type NumberSpec = Exclude<OptionSpec, { choices: readonly string[] }>;

/** The value at a share of the way from end to end. */
function between({ minimum, maximum, whole }: NumberSpec, share: number): number {
  const sized = minimum > 0 && maximum / minimum > WIDE;
  const value = sized ? minimum * (maximum / minimum) ** share : minimum + share * (maximum - minimum);
  return whole ? Math.round(value) : value;
}

/** Both ends, and values in between, evenly spaced: no stretch that is wider than their distance is left out. */
function valuesOf(spec: NumberSpec, random: { uniform(): number }, inside: number): number[] {
  const { minimum, maximum } = spec;
  const start = random.uniform();
  const values = Array.from({ length: inside }, (_, i) => between(spec, (i + start) / inside));
  return [...new Set([minimum, maximum, ...values])].filter((value) => value !== spec.default);
}
