/** At a bend the second difference is over so many times that of its neighbours. */
const STEEP = 12;
/** Distances of the neighbours on both sides, farther than a jump spreads; of two, since another bend may be at one of them. */
const BESIDE = [3, 5];
const ROUNDING = 2 ** -52;

/**
 * Indices at which a function, known at evenly spaced places, jumps or bends: the sharpest first, at least three apart. A smooth function has
 * none.
 * @param compares may the places `i − 1`, `i` and `i + 1` be compared? Default: all may
 */
export function bendsOf(
  values: ArrayLike<number>,
  most: number,
  compares: (i: number) => boolean = () => true,
): number[] {
  const second = Float64Array.from({ length: values.length }, (_, i) => {
    if (i === 0 || i === values.length - 1 || !compares(i)) return 0;
    const bend = Math.abs(values[i - 1] - 2 * values[i] + values[i + 1]);
    // A number that is not finite is found by itself, below, and hides no other.
    return Number.isFinite(bend) ? bend : 0;
  });
  const finite = Array.from(values).filter(Number.isFinite);
  const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const rounding = 64 * ROUNDING * largest + Number.MIN_VALUE;
  const sharp: { i: number; sharpness: number }[] = [];
  second.forEach((bend, i) => {
    if (!Number.isFinite(values[i])) {
      if (compares(i)) sharp.push({ i, sharpness: Number.POSITIVE_INFINITY });
      return;
    }
    const beside = Math.min(...BESIDE.map((steps) => Math.max(second[i - steps] ?? 0, second[i + steps] ?? 0)));
    const sharpness = bend / (beside + rounding);
    if (sharpness > STEEP) sharp.push({ i, sharpness });
  });
  const found: number[] = [];
  for (const { i } of sharp.sort((a, b) => b.sharpness - a.sharpness)) {
    if (found.length === most) break;
    if (found.every((other) => Math.abs(other - i) >= BESIDE[0])) found.push(i);
  }
  return found;
}
