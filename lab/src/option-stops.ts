/** A number that a neuron can be given. */
export interface NumberOption {
  readonly minimum: number;
  readonly maximum: number;
  readonly default: number;
  readonly whole?: true;
}

/** Of a slider, on each side of the default. */
const STOPS = 20;
const MOST_WHOLE = 64;

/**
 * The values at which a slider of an option stops, ascending: whole numbers one after another; numbers of one sign from a tenth of the
 * default to ten times it, by equal factors; others by equal steps. The default and the value that it has now are among them.
 */
export function optionStops({ minimum, maximum, default: usual, whole }: NumberOption, now: number): number[] {
  const sides = Array.from({ length: 2 * STOPS + 1 }, (_, i) => i - STOPS);
  const values = whole
    ? Array.from({ length: Math.min(maximum, MOST_WHOLE) - minimum + 1 }, (_, i) => minimum + i)
    : minimum * maximum > 0
      ? sides.map((side) => Number((usual * 10 ** (side / STOPS)).toPrecision(2)))
      : sides.map((side) => minimum + ((side + STOPS) / (2 * STOPS)) * (maximum - minimum));
  return [...new Set([...values, usual, now])]
    .filter((value) => value === now || (value >= minimum && value <= maximum))
    .sort((a, b) => a - b);
}
