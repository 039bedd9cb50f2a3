/** The `d` of a path through points, in pixels. */
export const linePath = (points: readonly (readonly [x: number, y: number])[]): string =>
  points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)},${y.toFixed(1)}`).join('');

/** The `d` of the area between two lines: where each point lies across, and its two heights, in pixels. */
export const bandPath = (points: readonly (readonly [x: number, low: number, high: number])[]): string =>
  points.length === 0
    ? ''
    : `${linePath([...points.map(([x, low]) => [x, low] as const), ...points.map(([x, , high]) => [x, high] as const).reverse()])}Z`;

/** Smaller magnitudes are rounding error of a 0. */
export const NOTHING = 5e-13;

/** Digits that no number of an axis needs: the error of its last bits is not among them. */
const EXACT = 12;

/** From here on, numbers of an axis are written in thousands and millions. */
const LARGE = 10_000;
const compact = new Intl.NumberFormat('en', { notation: 'compact' });

/** A number of an axis, written as it is. */
export const plain = (value: number): string => (Math.abs(value) < LARGE ? short(value, EXACT) : compact.format(value));

/** A number rounded to significant digits, in exponential form under 0.001. @param nothing smaller magnitudes are written as 0 */
export function short(value: number, digits = 3, nothing = NOTHING): string {
  if (Math.abs(value) < nothing) return '0';
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) < 1e-3 ? rounded.toExponential() : String(rounded);
}
