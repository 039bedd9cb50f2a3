import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';

/** Numbers, nested as deep as they have dimensions. */
export type Numbers = ArrayLike<number> | readonly Numbers[];

/** Extents of nested numbers. @throws RangeError where rows have different lengths */
export function shapeOfNumbers(numbers: Numbers | number): number[] {
  if (typeof numbers === 'number') return [];
  const { length } = numbers;
  if (length === 0 || typeof numbers[0] === 'number') return [length];
  const rows = Array.from(numbers as readonly Numbers[], shapeOfNumbers);
  const odd = rows.findIndex((shape) => shape.join() !== rows[0].join());
  if (odd > 0)
    throw new RangeError(
      `Nested numbers have the shape [${rows[0].join(', ')}] at 0 and [${rows[odd].join(', ')}] at ${odd}. Expected one shape.`,
    );
  return [length, ...rows[0]];
}

/** Nested numbers as an array of this step. @throws RangeError where rows have different lengths */
export function placeNumbers(engine: Engine, numbers: Numbers | number): NdArray {
  return engine.tensor(flatNumbers(numbers), shapeOfNumbers(numbers));
}

/** Nested numbers one after another, row-major. */
export function flatNumbers(numbers: Numbers | number): ArrayLike<number> {
  if (typeof numbers === 'number') return [numbers];
  if (numbers.length === 0 || typeof numbers[0] === 'number') return numbers as ArrayLike<number>;
  return Array.from(numbers as readonly Numbers[], (inner) => Array.from(flatNumbers(inner))).flat();
}
