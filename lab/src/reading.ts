/** A line of a chart: its name, how it is drawn, and its points from left to right. */
interface Line {
  readonly name: string;
  readonly colour: string;
  readonly dash: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** What the lines of a chart say at one place of its axis, the greatest first. */
export interface Reading {
  readonly at: number;
  readonly values: readonly (Omit<Line, 'points'> & { readonly said: string })[];
}

/** The values at the place with points that is nearest to `x`, on the lines that have a point there, each `written`; undefined where no line has any. */
export function readingAt(lines: readonly Line[], x: number, written: (y: number) => string): Reading | undefined {
  const places = lines.flatMap(({ points }) => points.map((point) => point.x));
  if (places.length === 0) return undefined;
  const at = places.reduce((nearest, place) => (Math.abs(place - x) < Math.abs(nearest - x) ? place : nearest));
  const values = lines.flatMap(({ name, colour, dash, points }) => {
    const point = points.find((one) => one.x === at);
    return point ? [{ name, colour, dash, y: point.y }] : [];
  });
  return { at, values: values.sort((a, b) => b.y - a.y).map(({ y, ...line }) => ({ ...line, said: written(y) })) };
}
