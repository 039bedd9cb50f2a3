import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { told } from './told.ts';

/** Numbers, nested as deep as they have dimensions. */
export type Numbers = ArrayLike<number> | readonly Numbers[];

/** Extents of nested numbers. @throws RangeError where rows have different lengths, or something else stands among them */
export function shapeOfNumbers(numbers: Numbers | number): number[] {
  if (typeof numbers === 'number') return [];
  if (typeof numbers !== 'object' || !Number.isInteger(numbers?.length))
    throw new RangeError(
      `Nested numbers hold ${told(numbers)}. Expected numbers, or lists of them as deep as they have dimensions.`,
    );
  const { length } = numbers;
  if (length === 0 || holdsNumbers(numbers)) return [length];
  const rows = Array.from(numbers as readonly Numbers[], shapeOfNumbers);
  const odd = rows.findIndex((shape) => shape.join() !== rows[0].join());
  if (odd > 0)
    throw new RangeError(
      `Nested numbers have the shape [${rows[0].join(', ')}] at 0 and [${rows[odd].join(', ')}] at ${odd}. Expected one shape.`,
    );
  return [length, ...rows[0]];
}

function holdsNumbers(list: Numbers): boolean {
  // All elements of a typed array are of one kind.
  const checked = ArrayBuffer.isView(list) ? 1 : list.length;
  for (let i = 0; i < checked; i++) if (typeof list[i] !== 'number') return false;
  return true;
}

/** Nested numbers as an array of this step. @throws as `shapeOfNumbers` */
export function placeNumbers(engine: Engine, numbers: Numbers | number): NdArray {
  const shape = shapeOfNumbers(numbers);
  return engine.tensor(flatNumbers(numbers), shape);
}

/** Nested numbers one after another, row-major. */
export function flatNumbers(numbers: Numbers | number): ArrayLike<number> {
  if (typeof numbers === 'number') return [numbers];
  if (numbers.length === 0 || typeof numbers[0] === 'number') return numbers as ArrayLike<number>;
  return Array.from(numbers as readonly Numbers[], (inner) => Array.from(flatNumbers(inner))).flat();
}
