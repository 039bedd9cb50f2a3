import type { Setting, Settings, TrainSettings } from './train-settings.ts';

/** A range of numbers, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
  /** How values lie in it: evenly, or evenly by their logarithm; default `linear`. */
  readonly scale?: 'linear' | 'log';
  /** Whole numbers only; default false. */
  readonly whole?: boolean;
  /** How many values a grid takes of it. */
  readonly steps?: number;
}

/** What one setting may be: one of some values, or anything in a range. */
export type Dimension = readonly Setting[] | Range;

/** What a sweep varies, by name. */
export type Space = Readonly<Record<string, Dimension>>;

/** The same, with every name and type checked by the compiler. */
export type TrainSpace = {
  readonly [N in keyof TrainSettings]?:
    | readonly NonNullable<TrainSettings[N]>[]
    | (Extract<TrainSettings[N], number> extends never ? never : Range);
};

export const isRange = (dimension: Dimension): dimension is Range => !Array.isArray(dimension);

/** The value at a place u in (0, 1) of a dimension: uniform places give uniform values, by logarithms where asked for. */
export function valueAt(dimension: Dimension, u: number): Setting {
  if (!isRange(dimension)) return dimension[Math.min(dimension.length - 1, Math.floor(u * dimension.length))];
  const { from, to, scale = 'linear', whole = false } = dimension;
  // Each whole number has an equal share of the range.
  const [low, high] = whole ? [from - 0.5, to + 0.5] : [from, to];
  const value = scale === 'log' ? Math.exp(Math.log(low) + u * Math.log(high / low)) : low + u * (high - low);
  return valueIn(dimension, value);
}

/** Digits of values in a range: what is printed is what was used. */
const DIGITS = 6;

/** A range whose ends differ by less, as a share of the larger, is refused: its values would be hard to tell apart. */
export const LEAST_WIDTH = 1e-9;

/** The value of a range nearest to a number, in as many digits as tell a hundred thousand of its values apart; never outside. */
function valueIn({ from, to, whole = false }: Range, x: number): number {
  const narrow = Math.floor(Math.log10(Math.max(Math.abs(from), Math.abs(to)) / (to - from)));
  const value = whole ? Math.round(x) : Number(x.toPrecision(DIGITS + Math.max(0, narrow)));
  return Math.min(to, Math.max(from, value));
}

/** How many values a dimension has; of a range of fractions, endlessly many. */
const countOf = (dimension: Dimension): number => {
  if (!isRange(dimension)) return dimension.length;
  return dimension.whole ? dimension.to - dimension.from + 1 : Number.POSITIVE_INFINITY;
};

/** How many configurations a space has. */
export const sizeOf = (space: Space): number =>
  Object.values(space).reduce((size, dimension) => size * countOf(dimension), 1);

/** Every configuration of a space that has an end, one after the other. */
export function* configurationsOf(space: Space): Generator<Settings, void> {
  const dimensions = Object.entries(space);
  const valueOfIndex = (dimension: Dimension, at: number): Setting =>
    isRange(dimension) ? dimension.from + at : dimension[at];
  for (let i = 0; i < sizeOf(space); i++) {
    let rest = i;
    yield Object.fromEntries(
      dimensions.map(([name, dimension]) => {
        const at = rest % countOf(dimension);
        rest = (rest - at) / countOf(dimension);
        return [name, valueOfIndex(dimension, at)];
      }),
    );
  }
}

/** The place in [0, 1] that a value of a dimension stands at; of values that are listed, the middle of their share. */
export function placeOf(dimension: Dimension, value: Setting): number {
  if (!isRange(dimension)) return (indexOf(dimension, value) + 0.5) / dimension.length;
  const { from, to, scale = 'linear', whole = false } = dimension;
  const [low, high] = whole ? [from - 0.5, to + 0.5] : [from, to];
  const x = value as number;
  if (high === low) return 0.5;
  return scale === 'log' ? Math.log(x / low) / Math.log(high / low) : (x - low) / (high - low);
}

/** Where a value stands among listed ones; lists are compared by what they hold. */
export function indexOf(values: readonly Setting[], value: Setting): number {
  const text = JSON.stringify(value);
  return values.findIndex((other) => JSON.stringify(other) === text);
}

/** The values that a grid takes of a dimension, in order. */
export function gridValues(dimension: Dimension): readonly Setting[] {
  if (!isRange(dimension)) return dimension;
  const { from, to, scale = 'linear', steps = 1 } = dimension;
  const values = Array.from({ length: steps }, (_, i) => {
    const share = steps === 1 ? 0.5 : i / (steps - 1);
    const value = scale === 'log' ? from * (to / from) ** share : from + share * (to - from);
    return valueIn(dimension, value);
  });
  return [...new Set(values)];
}

/** How many values a grid asks of a dimension, before equal ones are taken as one. */
export const stepsOf = (dimension: Dimension): number =>
  isRange(dimension) ? (dimension.steps ?? 1) : dimension.length;

/** Every combination of a space's grid values, the last dimension fastest. */
export function gridOf(space: Space): Settings[] {
  return Object.entries(space).reduce<Settings[]>(
    (rows, [name, dimension]) =>
      rows.flatMap((row) => gridValues(dimension).map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}
