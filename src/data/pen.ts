import type { RandomStream } from '../random/stream.ts';
import { ALLOGRAPHS } from './digit-strokes.ts';
import { bell, drawAllograph, type Writer } from './writer.ts';

/**
 * Moves a pen as a writer writes one digit. Only additions, products, quotients and square roots are used, which IEEE 754
 * rounds in one way only, and coordinates are rounded to 1/1024 pixel: every engine gives the same bits.
 */

/** Width and height of the image in pixels. */
export const IMAGE_SIZE = 28;

/** The trajectory of one digit. */
export interface Trajectory {
  /** x, y, x, y, … in pixels, from the image's top left corner; multiples of 1/1024. */
  points: number[];
  /** For each point, 1 where the pen is lifted after it. */
  penUp: number[];
  /** Half the width of the line, in pixels. */
  radius: number;
}

/** Points stay this far inside the image, in pixels. */
const MARGIN = 1.5;
const GRID = 1024;
/** The largest side of a drawn digit, in pixels. */
const LARGEST_SIDE = IMAGE_SIZE - 2 * MARGIN;
const STEPS_PER_CURVE = 8;

/** How often a writer leaves the usual allograph. */
const UNUSUAL = 0.15;

/** A number of the same bits on every engine, on the grid of 1/1024. */
function onGrid(value: number): number {
  return Math.round(value * GRID) / GRID;
}

/**
 * The smooth curve through control points: Hermite cubics whose tangent is roundness·(next − previous), the cardinal
 * spline; at a corner (a point that stands twice) the curve ends and begins anew.
 * @param points x, y, x, y, …
 * @param corners 1 for each point that stands twice, in its first place
 */
function curve(points: Float64Array, corners: Uint8Array, roundness: number): number[] {
  const last = points.length / 2 - 1;
  const out = [points[0], points[1]];
  for (let i = 0; i < last; i++) {
    if (corners[i]) continue;
    const before = i === 0 || corners[i - 1] ? i : i - 1;
    const after = i + 1 === last || corners[i + 1] ? i + 1 : i + 2;
    for (let step = 1; step <= STEPS_PER_CURVE; step++) {
      const t = step / STEPS_PER_CURVE;
      const toEnd = t * t * (3 - 2 * t);
      const leaving = roundness * t * (1 - t) * (1 - t);
      const arriving = roundness * t * t * (t - 1);
      for (let axis = 0; axis < 2; axis++) {
        const start = points[2 * i + axis];
        const end = points[2 * (i + 1) + axis];
        out.push(
          start +
            toEnd * (end - start) +
            leaving * (end - points[2 * before + axis]) +
            arriving * (points[2 * after + axis] - start),
        );
      }
    }
  }
  return out;
}

/** The control points of a stroke, moved by the writer's habits and by the unsteadiness of this time. */
function displaced(stroke: readonly number[], habits: Float64Array, unsteadiness: number, stream: RandomStream) {
  const points = Float64Array.from(stroke);
  const corners = new Uint8Array(stroke.length / 2);
  for (let i = 0; i < corners.length; i++) {
    const twin = i > 0 && stroke[2 * i] === stroke[2 * i - 2] && stroke[2 * i + 1] === stroke[2 * i - 1];
    if (twin) corners[i - 1] = 1;
    for (let axis = 0; axis < 2; axis++)
      points[2 * i + axis] = twin
        ? points[2 * i - 2 + axis]
        : points[2 * i + axis] + habits[2 * i + axis] + unsteadiness * bell(stream);
  }
  return { points, corners };
}

/** A linear map, row by row: [xx, xy, yx, yy]. */
type LinearMap = readonly [number, number, number, number];

/** Size, aspect, slant and a rotation by 2·atan(t): percent of the height to pixels. */
function drawMap(writer: Writer, stream: RandomStream): LinearMap {
  const height = (writer.height * (1 + 0.06 * bell(stream))) / 100;
  const width = height * writer.aspect * (1 + 0.07 * bell(stream));
  const slant = writer.slant + 0.05 * bell(stream);
  const t = 0.035 * bell(stream);
  const cosine = (1 - t * t) / (1 + t * t);
  const sine = (2 * t) / (1 + t * t);
  return [cosine * width, -height * (cosine * slant + sine), sine * width, height * (cosine - sine * slant)];
}

/** Applies the map to points, in place. */
function transform(points: number[], [xx, xy, yx, yy]: LinearMap): void {
  for (let i = 0; i < points.length; i += 2) {
    const x = points[i];
    const y = points[i + 1];
    points[i] = xx * x + xy * y;
    points[i + 1] = yx * x + yy * y;
  }
}

/** Smallest and largest coordinate along an axis of the points of all strokes. */
function extent(strokes: readonly number[][], axis: number): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const points of strokes)
    for (let i = axis; i < points.length; i += 2) {
      if (points[i] < low) low = points[i];
      if (points[i] > high) high = points[i];
    }
  return [low, high];
}

/** Centres the strokes in the image with a shift of about a pixel, shrinking them where they would not fit; in place. */
function place(strokes: readonly number[][], stream: RandomStream): void {
  const extents = [extent(strokes, 0), extent(strokes, 1)];
  const side = Math.max(...extents.map(([low, high]) => high - low));
  const shrink = Math.min(1, LARGEST_SIDE / side);
  extents.forEach(([low, high], axis) => {
    const room = (LARGEST_SIDE - shrink * (high - low)) / 2;
    const shift = Math.min(room, Math.max(-room, 0.8 * bell(stream)));
    const from = IMAGE_SIZE / 2 + shift - (shrink * (low + high)) / 2;
    for (const points of strokes)
      for (let i = axis; i < points.length; i += 2) points[i] = onGrid(from + shrink * points[i]);
  });
}

/** Points at equal distances along a polyline, its first and last point included; appended to the trajectory. */
function follow(points: readonly number[], spacing: number, trajectory: Trajectory): void {
  let total = 0;
  for (let i = 2; i < points.length; i += 2) total += distance(points, i);
  const steps = Math.max(1, Math.round(total / spacing));
  let travelled = 0;
  let i = 2;
  for (let step = 0; step < steps; step++) {
    const target = (step / steps) * total;
    while (i + 2 < points.length && travelled + distance(points, i) <= target) {
      travelled += distance(points, i);
      i += 2;
    }
    const length = distance(points, i);
    const part = length > 0 ? (target - travelled) / length : 0;
    for (let axis = -2; axis < 0; axis++)
      trajectory.points.push(onGrid(points[i + axis] + part * (points[i + 2 + axis] - points[i + axis])));
    trajectory.penUp.push(0);
  }
  trajectory.points.push(points[points.length - 2], points[points.length - 1]);
  trajectory.penUp.push(1);
}

/** Distance from the point before `i` to the point at `i`. */
function distance(points: readonly number[], i: number): number {
  const x = points[i] - points[i - 2];
  const y = points[i + 1] - points[i - 1];
  return Math.sqrt(x * x + y * y);
}

/** Writes one digit, with all chance taken from the stream. */
export function writeDigit(digit: number, writer: Writer, stream: RandomStream): Trajectory {
  const index = stream.uniform() < UNUSUAL ? drawAllograph(stream, digit) : writer.usual[digit];
  const habits = writer.habits[digit][index];
  let used = 0;
  const strokes = ALLOGRAPHS[digit][index].strokes.map((stroke) => {
    const own = habits.subarray(used, (used += stroke.length));
    const { points, corners } = displaced(stroke, own, writer.unsteadiness, stream);
    return curve(points, corners, writer.roundness);
  });
  const map = drawMap(writer, stream);
  for (const points of strokes) transform(points, map);
  place(strokes, stream);
  const radius = onGrid(Math.max(0.5, writer.radius * (1 + 0.1 * bell(stream))));
  const trajectory: Trajectory = { points: [], penUp: [], radius };
  const spacing = writer.speed * (1 + 0.1 * bell(stream));
  for (const points of strokes) follow(points, spacing, trajectory);
  return trajectory;
}
