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
  const within = Math.min(to, Math.max(from, whole ? Math.round(value) : value));
  // Six digits: what is printed is what was used.
  return whole ? within : Number(within.toPrecision(6));
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
  const { from, to, scale = 'linear', whole = false, steps = 1 } = dimension;
  const values = Array.from({ length: steps }, (_, i) => {
    const share = steps === 1 ? 0.5 : i / (steps - 1);
    const value = scale === 'log' ? from * (to / from) ** share : from + share * (to - from);
    return whole ? Math.round(value) : Number(value.toPrecision(6));
  });
  return [...new Set(values)];
}

/** Every combination of a space's grid values, the last dimension fastest. */
export function gridOf(space: Space): Settings[] {
  return Object.entries(space).reduce<Settings[]>(
    (rows, [name, dimension]) =>
      rows.flatMap((row) => gridValues(dimension).map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
}
