/** Noise whose stretches stand in another order: a cut of it becomes more jumps than a search of cells finds. */

/** Stretches of (0, 1), a power of two. */
const STRETCHES = 4096;

/** A uniform number of a uniform number: its stretch of 1/4,096 is another one, its place within the stretch the same. */
export function shuffled(u: number): number {
  const k = Math.floor(u * STRETCHES);
  // An odd factor permutes the stretches.
  return (((k * 1031) & (STRETCHES - 1)) + (u * STRETCHES - k)) / STRETCHES;
}
