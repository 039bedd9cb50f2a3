/** A function bends where its second difference is so many times that of both places beside it. */
const STEEP = 12;
/** Beside a bend is so many steps away, where a jump between two places no longer shows. */
const BESIDE = 3;
const ROUNDING = 2 ** -52;

/**
 * Where numbers at evenly spaced places jump or bend: their indices, the sharpest first, none beside another. Of a smooth function there are
 * none, so that it is a cheap way to see where another rule begins.
 * @param compares may the places `i − 1`, `i` and `i + 1` be compared? Default: all may
 */
export function bendsOf(
  values: ArrayLike<number>,
  most: number,
  compares: (i: number) => boolean = () => true,
): number[] {
  const second = Float64Array.from({ length: values.length }, (_, i) =>
    i === 0 || i === values.length - 1 || !compares(i) ? 0 : Math.abs(values[i - 1] - 2 * values[i] + values[i + 1]),
  );
  const sharp: { i: number; sharpness: number }[] = [];
  second.forEach((bend, i) => {
    const beside = Math.min(second[i - BESIDE] ?? 0, second[i + BESIDE] ?? 0);
    const sharpness = bend / (beside + 64 * ROUNDING * Math.abs(values[i]) + Number.MIN_VALUE);
    if (sharpness > STEEP) sharp.push({ i, sharpness });
  });
  const found: number[] = [];
  for (const { i } of sharp.sort((a, b) => b.sharpness - a.sharpness)) {
    if (found.length === most) break;
    if (found.every((other) => Math.abs(other - i) >= BESIDE)) found.push(i);
  }
  return found;
}
