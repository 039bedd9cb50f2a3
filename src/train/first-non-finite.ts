/** The place of the first number that is not finite, or −1. A plain loop: `findIndex` of Array on a typed array takes longer than a small network. */
export function firstNonFinite(values: ArrayLike<number>): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}
