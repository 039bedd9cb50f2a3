import { randomStream } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { DataError } from './dataset.ts';
import { type Trajectory, writeDigit } from './pen.ts';
import { joinSequences, type LabelledSequence, type SequenceDataset } from './sequences.ts';
import { drawWriter, type Writer } from './writer.ts';

/** What `penStrings` writes. */
export interface PenStringsOptions {
  /** A whole number in [0, 2⁵³). */
  readonly seed: number;
  /** How many strings. */
  readonly count: number;
  /** Number of the first string, 0 when left out. String i is the same whatever `first` and `count`. */
  readonly first?: number;
  /** How many writers share the work; 250 when left out. */
  readonly writers?: number;
  /** Number of the first writer; 0 when left out. */
  readonly firstWriter?: number;
  /** The fewest and the most digits of a string; 1 and 3 when left out. */
  readonly digits?: readonly [number, number];
}

const NAMES: NamesOf<PenStringsOptions> = {
  seed: true,
  count: true,
  first: true,
  writers: true,
  firstWriter: true,
  digits: true,
};

/** Strings of digits as a pen writes them, with the writer of each. */
export interface PenStrings extends SequenceDataset {
  readonly writer: Uint16Array;
}

/** Movement in x and y, height, and whether the pen was lifted before the point. */
const WIDTH = 4;
/** Movements are given in units of two pixels of the 28 × 28 image: within a stroke they are about 1. */
const UNIT = 2;
/** Heights are given from the middle of the image, in units of seven pixels. */
const MIDDLE = 14;
const SPREAD = 7;
/** Paper between two digits, in pixels: the least, and how much more there may be. */
const GAP = [2, 4] as const;
/** The stream of strings: the word "pens" in ASCII. */
const STRING_STREAM = 0x70656e73;

/**
 * Strings of digits in the order of the pen: the digits of one writer side by side, each point as its movement from the point
 * before. String i is a pure function of (seed, i, writers, firstWriter, digits), of the same bits on every engine.
 * @throws DataError when an option is out of range, RangeError when the seed is
 */
export function penStrings(options: PenStringsOptions): PenStrings {
  checkNames('penStrings', options, NAMES);
  const { seed, count, first = 0, writers = 250, firstWriter = 0, digits = [1, 3] } = options;
  const [fewest, most] = digits;
  checkWhole('count', count, 1, 10_000_000);
  checkWhole('first', first, 0, 0x7fffffff);
  checkWhole('writers', writers, 1, 0x10000);
  checkWhole('firstWriter', firstWriter, 0, 0x10000 - writers);
  checkWhole('fewest digits', fewest, 1, 100);
  checkWhole('most digits', most, fewest, 100);
  const known = new Map<number, Writer>();
  const writer = new Uint16Array(count);
  const strings = Array.from({ length: count }, (_, i) => {
    const stream = randomStream(seed, STRING_STREAM, first + i);
    const who = firstWriter + stream.integer(writers);
    writer[i] = who;
    let style = known.get(who);
    if (!style) known.set(who, (style = drawWriter(seed, who)));
    const own = style;
    const labels = Array.from({ length: fewest + stream.integer(most - fewest + 1) }, () => stream.integer(10));
    const written = labels.map((label) => writeDigit(label, own, stream));
    const gaps = labels.map(() => GAP[0] + GAP[1] * stream.uniform());
    return { features: movements(written, gaps), labels } satisfies LabelledSequence;
  });
  return Object.assign(joinSequences({ name: 'pen strings', width: WIDTH, classes: 10 }, strings), { writer });
}

/**
 * The movements of a pen that writes the digits from left to right with these gaps before them, and at last moves away to where
 * one more would begin: without it, nobody could know that the last digit has ended.
 */
function movements(digits: readonly Trajectory[], gaps: readonly number[]): number[] {
  const features: number[] = [];
  let [x, y, edge] = [0, MIDDLE, 0];
  const moveTo = (toX: number, toY: number, lifted: boolean): void => {
    features.push((toX - x) / UNIT, (toY - y) / UNIT, (toY - MIDDLE) / SPREAD, lifted ? 1 : 0);
    [x, y] = [toX, toY];
  };
  digits.forEach(({ points, penUp }, digit) => {
    const across = points.filter((_, i) => i % 2 === 0);
    const shift = edge + gaps[digit] - Math.min(...across);
    edge = shift + Math.max(...across);
    if (digit === 0) x = points[0] + shift;
    for (let i = 0; i < penUp.length; i++)
      moveTo(points[2 * i] + shift, points[2 * i + 1], i === 0 || penUp[i - 1] === 1);
  });
  moveTo(edge + gaps[0], MIDDLE, true);
  return features;
}

/** @throws DataError when the value is not a whole number from `low` to `high` */
function checkWhole(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high)
    throw new DataError(`${name} of the pen strings is ${value}; it must be a whole number from ${low} to ${high}.`);
}
