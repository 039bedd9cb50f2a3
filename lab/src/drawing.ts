import type { Picture } from '../../src/index.ts';

/** A point of a drawing: whole numbers from 0 to 63, from the top left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The paths of a pen, one after another. */
export type Strokes = readonly (readonly Point[])[];

/** Points a side. */
export const SIDE = 64;
/** Of the pen, in points. */
const RADIUS = 3;
/** What an address may hold, one letter a coordinate. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** An address stays short enough to be sent around. */
export const MOST_POINTS = 700;

/** Strokes as text for an address: two letters a point, a full stop between strokes. */
export function encodeStrokes(strokes: Strokes): string {
  return strokes.map((stroke) => stroke.map(({ x, y }) => LETTERS[x] + LETTERS[y]).join('')).join('.');
}

/** The strokes that `encodeStrokes` wrote; letters that mean nothing, and what is over the limit, are left out. */
export function decodeStrokes(text: string): Strokes {
  const strokes = text.slice(0, 3 * MOST_POINTS).split('.');
  return strokes
    .map((stroke) =>
      Array.from({ length: stroke.length >> 1 }, (_, i) => ({
        x: LETTERS.indexOf(stroke[2 * i]),
        y: LETTERS.indexOf(stroke[2 * i + 1]),
      })).filter(({ x, y }) => x >= 0 && y >= 0),
    )
    .filter(({ length }) => length > 0);
}

/** A grey picture of strokes, white on black, by a round pen with soft edges. */
export function paint(strokes: Strokes): Picture {
  const values = new Float32Array(SIDE * SIDE);
  for (const stroke of strokes)
    for (const [i, to] of stroke.entries()) {
      const from = stroke[Math.max(0, i - 1)];
      const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
      const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
      const reach = RADIUS + 1;
      for (let y = Math.max(0, top - reach); y <= Math.min(SIDE - 1, bottom + reach); y++)
        for (let x = Math.max(0, left - reach); x <= Math.min(SIDE - 1, right + reach); x++) {
          const ink = Math.min(1, Math.max(0, RADIUS + 0.5 - distance({ x, y }, from, to)));
          values[y * SIDE + x] = Math.max(values[y * SIDE + x], ink);
        }
    }
  return { width: SIDE, height: SIDE, values };
}

/** From a point to a piece of a straight line. */
function distance({ x, y }: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const square = dx * dx + dy * dy;
  const along = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / square));
  return Math.hypot(x - from.x - along * dx, y - from.y - along * dy);
}
