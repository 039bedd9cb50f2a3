/** The best that can be had for a price: the least loss of all points that cost no more. */

export interface Point {
  /** Seconds, or multiply-adds. */
  readonly price: number;
  readonly loss: number;
}

/** The points that no cheaper one is as good as, by price. */
export function frontierOf(points: readonly Point[]): Point[] {
  const best: Point[] = [];
  for (const point of points.toSorted((a, b) => a.price - b.price || a.loss - b.loss))
    if (point.loss < (best.at(-1)?.loss ?? Number.POSITIVE_INFINITY)) best.push(point);
  return best;
}

/**
 * The price of a loss on a frontier, between two points linear in the logarithm of the price. A loss that the cheapest point betters has the
 * price of that point: what is cheaper was not tried. One that no point reaches has an infinite price; without points there is none, NaN.
 */
export function priceOf(frontier: readonly Point[], loss: number): number {
  if (frontier.length === 0) return Number.NaN;
  const at = frontier.findIndex((point) => point.loss <= loss);
  if (at < 0) return Number.POSITIVE_INFINITY;
  if (at === 0) return frontier[0].price;
  const [a, b] = [frontier[at - 1], frontier[at]];
  const share = (a.loss - loss) / (a.loss - b.loss);
  return Math.exp(Math.log(a.price) + share * (Math.log(b.price) - Math.log(a.price)));
}

/** What a doubling of the price gains in loss at a price, by the two points of the frontier around it; NaN where it has fewer. */
export function gainOfDoubling(frontier: readonly Point[], price: number): number {
  if (frontier.length < 2) return Number.NaN;
  const at = Math.min(
    Math.max(
      1,
      frontier.findIndex((point) => point.price >= price),
    ),
    frontier.length - 1,
  );
  const upper = frontier.at(-1)?.price ?? 0;
  const i = price > upper ? frontier.length - 1 : at;
  const [a, b] = [frontier[i - 1], frontier[i]];
  return (a.loss - b.loss) / Math.log2(b.price / a.price);
}
