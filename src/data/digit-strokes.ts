/**
 * How people write the ten digits. Numbers are percent of the digit's height, x to the right, y down, from the top left
 * of a box about 60 wide and 100 high. A stroke is x, y, x, y, … in the order of the pen, joined by a smooth curve;
 * a point that stands twice is a corner.
 */

/** One way to write a digit. */
export interface Allograph {
  name: string;
  /** How common it is, relative to the digit's other allographs. */
  weight: number;
  /** The pen is lifted between strokes. */
  strokes: readonly (readonly number[])[];
}

// biome-ignore format: one stroke a line, one pair of coordinates a column
export const ALLOGRAPHS: readonly (readonly Allograph[])[] = [
  [
    { name: 'oval', weight: 5, strokes: [[34, 1, 12, 14, 2, 50, 12, 86, 32, 99, 52, 86, 62, 50, 52, 14, 33, 0]] },
    { name: 'from the right', weight: 3, strokes: [[50, 9, 32, 1, 12, 14, 3, 50, 12, 86, 32, 99, 52, 86, 61, 50, 54, 18, 40, 4]] },
    { name: 'clockwise', weight: 1, strokes: [[28, 2, 50, 10, 62, 48, 52, 86, 30, 99, 10, 84, 2, 48, 12, 14, 32, 2]] },
    { name: 'slashed', weight: 0.5, strokes: [[34, 1, 12, 14, 2, 50, 12, 86, 32, 99, 52, 86, 62, 50, 52, 14, 33, 0], [56, 14, 8, 88]] },
  ],
  [
    { name: 'bar', weight: 5, strokes: [[30, 0, 30, 50, 30, 100]] },
    { name: 'flag', weight: 3, strokes: [[14, 22, 24, 14, 34, 0, 34, 0, 33, 50, 33, 100]] },
    { name: 'flag and foot', weight: 1.5, strokes: [[12, 20, 24, 12, 32, 0, 32, 0, 32, 50, 32, 100], [10, 100, 32, 99, 54, 100]] },
    { name: 'long flag', weight: 0.7, strokes: [[4, 42, 22, 24, 38, 0, 38, 0, 37, 50, 36, 100]] },
  ],
  [
    { name: 'angular', weight: 4, strokes: [[6, 22, 16, 5, 36, 0, 55, 12, 54, 34, 34, 64, 4, 98, 4, 98, 32, 97, 62, 97]] },
    { name: 'looped', weight: 3, strokes: [[8, 18, 22, 2, 44, 2, 56, 20, 46, 50, 22, 86, 8, 94, 2, 86, 14, 80, 34, 92, 50, 98, 64, 92]] },
    { name: 'wavy foot', weight: 2, strokes: [[6, 20, 20, 3, 42, 2, 54, 20, 44, 48, 6, 96, 6, 96, 20, 88, 40, 98, 62, 92]] },
    { name: 'flat top', weight: 0.6, strokes: [[6, 6, 30, 2, 52, 6, 54, 24, 40, 52, 4, 97, 4, 97, 32, 98, 60, 98]] },
  ],
  [
    { name: 'round', weight: 5, strokes: [[8, 12, 26, 0, 48, 8, 52, 26, 40, 42, 22, 46, 22, 46, 44, 52, 58, 70, 50, 90, 28, 100, 4, 88]] },
    { name: 'flat top', weight: 1.5, strokes: [[6, 2, 30, 2, 54, 2, 54, 2, 40, 20, 26, 40, 26, 40, 48, 46, 58, 68, 48, 92, 24, 100, 4, 90]] },
    { name: 'looped', weight: 2, strokes: [[6, 16, 24, 1, 46, 8, 50, 26, 36, 44, 20, 48, 18, 42, 30, 42, 52, 54, 58, 74, 44, 96, 20, 100, 2, 86]] },
    { name: 'long tail', weight: 1, strokes: [[12, 8, 30, 0, 46, 10, 46, 28, 24, 44, 24, 44, 46, 50, 54, 68, 42, 88, 18, 98, -6, 92]] },
  ],
  [
    { name: 'open', weight: 5, strokes: [[8, 4, 6, 30, 8, 52, 30, 56, 56, 50], [54, 2, 52, 50, 50, 100]] },
    { name: 'closed', weight: 3, strokes: [[44, 0, 24, 32, 2, 66, 2, 66, 32, 66, 64, 66], [46, 0, 46, 50, 46, 100]] },
    { name: 'one stroke', weight: 1.5, strokes: [[48, 2, 26, 26, 4, 56, 4, 56, 30, 58, 50, 52, 50, 2, 50, 2, 48, 50, 46, 100]] },
    { name: 'angular open', weight: 2, strokes: [[20, 0, 12, 26, 2, 54, 2, 54, 32, 54, 62, 52], [44, 28, 42, 64, 38, 100]] },
  ],
  [
    { name: 'bar last', weight: 4, strokes: [[14, 4, 12, 24, 8, 44, 8, 44, 30, 38, 52, 50, 56, 72, 42, 94, 20, 99, 2, 88], [14, 4, 36, 3, 58, 2]] },
    { name: 'one stroke', weight: 3, strokes: [[56, 2, 36, 3, 16, 4, 16, 4, 12, 24, 10, 42, 10, 42, 32, 40, 52, 52, 54, 74, 40, 94, 18, 98, 2, 88]] },
    { name: 'like an S', weight: 2, strokes: [[54, 4, 36, 2, 18, 10, 12, 28, 22, 42, 40, 50, 52, 66, 46, 88, 26, 99, 4, 90]] },
    { name: 'angular', weight: 1, strokes: [[10, 2, 10, 20, 10, 42, 10, 42, 40, 44, 56, 62, 50, 88, 24, 99, 4, 96], [10, 3, 32, 2, 54, 4]] },
  ],
  [
    { name: 'curved', weight: 5, strokes: [[46, 0, 24, 18, 8, 48, 6, 78, 22, 98, 44, 92, 54, 74, 42, 58, 22, 60, 8, 76]] },
    { name: 'straight', weight: 3, strokes: [[34, 0, 20, 30, 8, 62, 10, 86, 28, 99, 48, 90, 52, 72, 36, 60, 16, 70, 10, 84]] },
    { name: 'small loop', weight: 2, strokes: [[24, 0, 12, 30, 6, 66, 12, 92, 30, 99, 44, 88, 42, 72, 26, 68, 10, 82]] },
    { name: 'big loop', weight: 1, strokes: [[54, 6, 30, 6, 10, 32, 4, 66, 16, 94, 40, 98, 58, 80, 56, 56, 36, 42, 14, 52, 6, 66]] },
  ],
  [
    { name: 'plain', weight: 5, strokes: [[4, 6, 28, 4, 56, 2, 56, 2, 40, 46, 24, 100]] },
    { name: 'barred', weight: 2, strokes: [[4, 6, 30, 4, 58, 2, 58, 2, 42, 44, 26, 100], [16, 52, 34, 50, 54, 48]] },
    { name: 'hooked', weight: 2, strokes: [[6, 20, 8, 4, 8, 4, 32, 6, 56, 2, 56, 2, 40, 44, 30, 100]] },
    { name: 'curved', weight: 2, strokes: [[4, 10, 20, 4, 46, 2, 54, 10, 46, 36, 34, 66, 28, 100]] },
  ],
  [
    { name: 'from the top', weight: 4, strokes: [[50, 12, 30, 1, 12, 12, 14, 32, 32, 48, 50, 66, 48, 90, 28, 99, 8, 88, 10, 66, 30, 48, 48, 30, 50, 10]] },
    { name: 'from the middle', weight: 2, strokes: [[32, 48, 12, 30, 14, 8, 32, 0, 50, 10, 50, 32, 32, 48, 12, 68, 12, 90, 32, 100, 52, 90, 52, 68, 34, 49]] },
    { name: 'two rings', weight: 1, strokes: [[32, 1, 14, 12, 16, 36, 32, 45, 48, 34, 48, 12, 31, 1], [32, 47, 10, 60, 10, 88, 32, 100, 54, 88, 54, 60, 33, 46]] },
    { name: 'open top', weight: 2, strokes: [[54, 4, 36, 2, 16, 12, 16, 30, 36, 48, 52, 68, 46, 92, 26, 99, 10, 86, 16, 66, 38, 46, 58, 18]] },
  ],
  [
    { name: 'straight', weight: 4, strokes: [[50, 12, 32, 1, 12, 12, 8, 34, 22, 48, 42, 40, 52, 12, 52, 12, 50, 50, 46, 100]] },
    { name: 'hooked', weight: 2, strokes: [[52, 14, 34, 1, 14, 10, 8, 32, 22, 46, 42, 40, 54, 14, 54, 14, 54, 56, 46, 90, 26, 100, 6, 92]] },
    { name: 'slanted', weight: 2, strokes: [[54, 8, 36, 1, 16, 14, 10, 38, 26, 48, 44, 34, 54, 8, 54, 8, 42, 54, 24, 100]] },
    { name: 'from the middle', weight: 1, strokes: [[50, 36, 28, 48, 10, 36, 14, 10, 34, 0, 52, 12, 54, 42, 46, 78, 36, 100]] },
  ],
];
