import { type RandomStream, randomStream } from '../random/stream.ts';
import { ALLOGRAPHS } from './digit-strokes.ts';

/** The habits of one imagined writer of digits. All lengths are in pixels of the 28 × 28 image unless they say otherwise. */
export interface Writer {
  /** Shear to the right, as a ratio of the height: 0.3 leans by about 17 degrees. */
  slant: number;
  /** Multiplies the width. */
  aspect: number;
  /** Height of a digit. */
  height: number;
  /** Half the width of the pen's line. */
  radius: number;
  /** How far curves bulge between their points; ½ is Catmull and Rom's spline, less is more angular. */
  roundness: number;
  /** Spread of the points about their places, in percent of the height. */
  unsteadiness: number;
  /** Distance between two points of the trajectory. */
  speed: number;
  /** The usual allograph of each digit: an index into ALLOGRAPHS[digit]. */
  usual: readonly number[];
  /** The writer's own displacement of every control point, in percent of the height: habits[digit][allograph]. */
  habits: readonly (readonly Float64Array[])[];
}

/** The stream of a writer's habits: the word "hand" in ASCII. */
const WRITER_STREAM = 0x68616e64;

/** Spread of a writer's own displacement of control points, in percent of the height. */
const HABIT_SPREAD = 4;

/**
 * A bell-shaped number of mean 0, variance 1 and bound ±3: the sum of three uniforms. Unlike a normal number it takes
 * only exact operations, so that it has the same bits on every engine.
 */
export function bell(stream: RandomStream): number {
  return 2 * (stream.uniform() + stream.uniform() + stream.uniform()) - 3;
}

/** A uniform number between two bounds. */
function between(stream: RandomStream, low: number, high: number): number {
  return low + (high - low) * stream.uniform();
}

/** The index of an allograph of the digit, drawn by weight. */
export function drawAllograph(stream: RandomStream, digit: number): number {
  const allographs = ALLOGRAPHS[digit];
  let left = stream.uniform() * allographs.reduce((sum, { weight }) => sum + weight, 0);
  const drawn = allographs.findIndex(({ weight }) => (left -= weight) < 0);
  return drawn < 0 ? allographs.length - 1 : drawn;
}

/** The displacements of the control points of each allograph of a digit. */
function drawHabits(stream: RandomStream, digit: number): Float64Array[] {
  return ALLOGRAPHS[digit].map(({ strokes }) => {
    const length = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
    return Float64Array.from({ length }, () => HABIT_SPREAD * bell(stream));
  });
}

/** The writer of a number: a pure function of both arguments. */
export function drawWriter(seed: number, writer: number): Writer {
  const stream = randomStream(seed, WRITER_STREAM, writer);
  return {
    slant: 0.12 + 0.17 * bell(stream),
    aspect: between(stream, 0.75, 1.15),
    height: between(stream, 17, 21),
    radius: between(stream, 0.65, 1.55),
    roundness: between(stream, 0.4, 0.7),
    unsteadiness: between(stream, 2, 4.5),
    speed: between(stream, 1.2, 2.4),
    usual: ALLOGRAPHS.map((_, digit) => drawAllograph(stream, digit)),
    habits: ALLOGRAPHS.map((_, digit) => drawHabits(stream, digit)),
  };
}
