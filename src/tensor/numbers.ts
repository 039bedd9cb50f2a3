import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Numbers } from './tensor.ts';

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
  const shape = shapeOfNumbers(numbers);
  if (typeof numbers === 'number') return engine.tensor([numbers], []);
  if (shape.length === 1) return engine.tensor(numbers as ArrayLike<number>, shape);
  return engine.tensor((numbers as readonly unknown[]).flat(Number.POSITIVE_INFINITY) as number[], shape);
}
