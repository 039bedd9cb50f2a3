import type { Neuron, OptionSpec } from '../neurons/contract.ts';
import { instantiate } from '../neurons/resolve.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { bendsOf } from './bends.ts';
import { withDrawnInputs } from './drawn-inputs.ts';
import { drawnPass } from './drawn-pass.ts';
import type { Variant } from './variants.ts';

/** Values between the ends of a number that are drawn. */
const INSIDE = 3;
/** Evenly spaced values that one pass is compared at, and most of those where it bends that are judged. */
const [SCAN, MOST_BENDS] = [81, 2];
/** Combinations of all numbers that one pass is compared at, and most of those that are judged. */
const [COMBINATIONS, MOST_COMBINED] = [24, 2];
/** The step along the first number; its powers along the others. Source: Roberts 2018, the R2 sequence. */
const EVENLY = 0.7548776662466927;
/** First word of the path of the streams of values: the word "opts" in ASCII. */
const OPTIONS = 0x6f707473;
/** From so large a ratio of the ends on, values of all sizes are drawn alike. */
const WIDE = 50;

/** A neuron with one or all of its numbers elsewhere than usual. */
export interface OtherOptions {
  readonly text: string;
  readonly neuron: Neuron;
}

type NumberSpec = Exclude<OptionSpec, { choices: readonly string[] }>;
type Numbered = Readonly<Record<string, number>>;

/**
 * A variant with each of its numbers at both ends of its range, at values in between that are drawn and at those where what the neuron does
 * bends; and with all of them moved together, where together they do something else than one by one. Combinations that the neuron refuses
 * with a RangeError are left out.
 */
export function otherOptions(
  { text, neuron, definition, given = {} }: Variant,
  seed: number,
  wide: number,
): OtherOptions[] {
  if (!definition) return [];
  // What the gradient does elsewhere matters where it claims much.
  const { unbiased } = neuron.claims;
  const specs = Object.entries(definition.options).flatMap(([option, spec], i) =>
    'choices' in spec ? [] : [{ option, spec, random: randomStream(seed, OPTIONS, i) }],
  );
  const made = (values: Numbered): Neuron | undefined => {
    try {
      return instantiate(definition, { ...given, ...values });
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  };
  const single = specs.flatMap(({ option, spec, random }) =>
    [
      ...valuesOf(spec, random, INSIDE * wide),
      ...(unbiased ? bendsOfOption(spec, (value) => made({ [option]: value })) : []),
    ].map((value) => ({ [option]: value })),
  );
  const together = unbiased && specs.length > 1 ? interactions(specs, made).slice(0, MOST_COMBINED * wide) : [];
  const seen = new Set<string>();
  return [...single, ...together].flatMap((values) => {
    const said = Object.entries(values).map(([option, value]) => `${option}=${short(value)}`);
    const name = `${text}${text.includes(':') ? ',' : ':'}${said.join()}`;
    const other = seen.has(name) ? undefined : made(values);
    seen.add(name);
    return other ? [{ text: name, neuron: other }] : [];
  });
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

/** The value at a share of the way from end to end. */
function between({ minimum, maximum, whole }: NumberSpec, share: number): number {
  const sized = minimum > 0 && maximum / minimum > WIDE;
  const value = sized ? minimum * (maximum / minimum) ** share : minimum + share * (maximum - minimum);
  return whole ? Math.round(value) : value;
}

/** Both ends, and values in between: of every part of the range one. */
function valuesOf(spec: NumberSpec, random: { uniform(): number }, inside: number): number[] {
  const values = Array.from({ length: inside }, (_, i) => between(spec, (i + random.uniform()) / inside));
  return [...new Set([spec.minimum, spec.maximum, ...values])].filter((value) => value !== spec.default);
}

/** Where the gradient of one pass jumps or bends along an option while h stays as it is: what the values beside it do not show. */
function bendsOfOption(spec: NumberSpec, made: (value: number) => Neuron | undefined): number[] {
  const share = (i: number): number => i / (SCAN - 1);
  const passes = Array.from({ length: SCAN }, (_, i) => onePass(made(between(spec, share(i)))));
  const values = passes.map((pass) => pass?.gradient ?? 0);
  const isSame = (i: number): boolean => sameOutputs([passes[i - 1], passes[i], passes[i + 1]]);
  // A jump lies on one side of a bend.
  return bendsOf(values, MOST_BENDS, isSame).flatMap((i) => [i - 1, i, i + 1].map((at) => between(spec, share(at))));
}

/**
 * Combinations of all numbers, spread evenly, at which they do something else together than one by one: those first where it is most, and those
 * at which it cannot be told, since h is another.
 */
function interactions(
  specs: readonly { readonly option: string; readonly spec: NumberSpec; readonly random: { uniform(): number } }[],
  made: (values: Numbered) => Neuron | undefined,
): Numbered[] {
  const usual = onePass(made({}));
  const starts = specs.map(({ random }) => random.uniform());
  return Array.from({ length: COMBINATIONS }, (_, k) => {
    const values = Object.fromEntries(
      specs.map(({ option, spec }, i) => [option, between(spec, (starts[i] + k * EVENLY ** (i + 1)) % 1)]),
    );
    const all = onePass(made(values));
    const single = Object.entries(values).map(([option, value]) => onePass(made({ [option]: value })));
    if (!sameOutputs([usual, all, ...single])) return { values, other: all ? Number.POSITIVE_INFINITY : 0 };
    const from = usual?.gradient ?? 0;
    const apart = single.reduce((sum, one) => sum + (one?.gradient ?? 0) - from, from);
    return { values, other: Math.abs((all?.gradient ?? 0) - apart) / (Math.abs(from) + Math.abs(apart)) };
  })
    .filter(({ other }) => other > ROUNDING)
    .sort((a, b) => (a.other === b.other ? 0 : b.other - a.other))
    .map(({ values }) => values);
}

/** What rounding makes of a sum of gradients, at most. */
const ROUNDING = 1e-9;
/** Groups of units of the pass that options are compared in, its rows, and the most numbers of its outputs. */
const [GROUPS, ROWS, MOST_OUTPUTS] = [3, 4, 20_000];

/** Outputs of a pass, and a sum of its gradients with fixed weights. */
interface OnePass {
  readonly h: Float64Array;
  readonly gradient: number;
}

/** Of the same inputs for all options. */
function onePass(given: Neuron | undefined): OnePass | undefined {
  if (!given) return undefined;
  const neuron = withDrawnInputs(given);
  const { group = 1, mostUnits = Number.POSITIVE_INFINITY } = neuron;
  const units = Math.min(group * GROUPS, mostUnits);
  const draws = drawsOf(neuron, units);
  if (draws * ROWS * units > MOST_OUTPUTS) return undefined;
  const pass = drawnPass(neuron, ROWS, units, { random: randomStream(1, OPTIONS, 1) }, Float64Array);
  neuron.fire(pass);
  neuron.pullback(pass);
  const { h, gradient } = pass;
  return { h, gradient: gradient.reduce((sum, g, i) => sum + g * (1 + (i % 7)), 0) };
}

/** Is h the same but for small changes, unit by unit open or not? */
const sameOutputs = ([first, ...others]: readonly (OnePass | undefined)[]): boolean =>
  others.every(
    (one) =>
      one?.h.length === first?.h.length &&
      one?.h.every((h, i) => {
        const before = first?.h[i] ?? Number.NaN;
        return Math.abs(h - before) < 0.2 && (h === 0) === (before === 0);
      }),
  );
