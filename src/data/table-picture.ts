import { DataError } from './dataset.ts';
import type { TableReading } from './table-reading.ts';

/** An image narrower than this is taken for a plain table. */
const SMALLEST_IMAGE_SIDE = 8;

/**
 * The inputs of a network for the bytes of a picture, by how the run read its table: bytes where that held some, else from 0 to 1.
 * @throws DataError for a table of other columns than as many numbers
 */
export function inputsOfPixels(reading: TableReading | undefined, pixels: Uint8Array): Float32Array {
  if (!reading) return Float32Array.from(pixels, (byte) => byte * (1 / 255));
  const { columns, center, spread, scale } = reading;
  if (columns.length !== pixels.length || columns.some(({ values }) => values))
    throw new DataError(
      `A picture of ${pixels.length} pixels was given, and the run was trained on a table of ${columns.length} columns that are none. Expected a row of a table.`,
    );
  const step = 255 / brightest(reading);
  return Float32Array.from(pixels, (byte, i) => {
    const value = byte / step;
    return Math.fround(center && spread ? (value - center[i]) / spread[i] : value) * scale;
  });
}

/** What stands for white in a table of pixels: 255 where it held bytes, else 1. */
export const brightest = ({ scale, center }: TableReading): 1 | 255 =>
  scale !== 1 || center?.some((mean) => mean > 1) ? 255 : 1;

/** The image that the rows of a table may be: as many numbers as a square has pixels, none under black or over white on average. */
export function imageOf({ columns, center = [] }: TableReading): { width: number; height: number } | undefined {
  if (columns.some(({ values }) => values) || center.some((mean) => mean < 0 || mean > 255)) return undefined;
  return squareImage(columns.length).image;
}

/** The image that pixel bytes are, if a square one. */
export function squareImage(width: number): { image?: { width: number; height: number } } {
  const side = Math.round(Math.sqrt(width));
  return side >= SMALLEST_IMAGE_SIDE && side * side === width ? { image: { width: side, height: side } } : {};
}
