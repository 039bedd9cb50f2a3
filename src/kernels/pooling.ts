/**
 * Pooling of pictures: x has `images` pictures of height × width × channels, y one number a channel for every window: height and width of
 * `size`, `stride` apart, inside the picture. Items are pictures.
 */
import { windows } from '../math/windows.ts';
import { kernel } from './kernel.ts';

const EXTENTS = ['images', 'height', 'width', 'channels', 'sizeY', 'sizeX', 'strideY', 'strideX', 'mean'] as const;

/** The largest of a window (of equal ones the first), or with `mean` 1 the mean. */
export const pool = kernel({
  parameters: ['x*', 'y*', ...EXTENTS],
  items: (_x, _y, images) => images,
  grain: () => 1,
  define(memory, x, y, images, height, width, channels, sizeY, sizeX, strideY, strideX, mean) {
    const shape = { images, height, width, channels, sizeY, sizeX, strideY, strideX };
    eachWindow(shape, (at, places) => {
      const values = places.map((place) => memory[x + place]);
      const sum = values.reduce((total, value) => total + value, 0);
      memory[y + at] = mean ? sum / values.length : Math.max(...values);
    });
  },
});

/** dx of the same: dy goes to the largest, or in equal parts to all. */
export const poolPullback = kernel({
  parameters: ['x*', 'dy*', 'dx*', ...EXTENTS],
  items: (_x, _dy, _dx, images) => images,
  grain: () => 1,
  define(memory, x, dy, dx, images, height, width, channels, sizeY, sizeX, strideY, strideX, mean) {
    memory.fill(0, dx, dx + images * height * width * channels);
    const shape = { images, height, width, channels, sizeY, sizeX, strideY, strideX };
    eachWindow(shape, (at, places) => {
      if (mean) for (const place of places) memory[dx + place] += memory[dy + at] / places.length;
      else {
        const largest = places.reduce((most, place) => (memory[x + place] > memory[x + most] ? place : most));
        memory[dx + largest] += memory[dy + at];
      }
    });
  },
});

interface Windows {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly sizeY: number;
  readonly sizeX: number;
  readonly strideY: number;
  readonly strideX: number;
}

function eachWindow(
  { images, height, width, channels, sizeY, sizeX, strideY, strideX }: Windows,
  visit: (at: number, places: readonly number[]) => void,
): void {
  let at = 0;
  for (let image = 0; image < images; image++)
    for (let row = 0; row < windows(height, sizeY, strideY); row++)
      for (let column = 0; column < windows(width, sizeX, strideX); column++)
        for (let channel = 0; channel < channels; channel++, at++) {
          const places: number[] = [];
          for (let j = 0; j < sizeY; j++)
            for (let i = 0; i < sizeX; i++)
              places.push(((image * height + row * strideY + j) * width + column * strideX + i) * channels + channel);
          visit(at, places);
        }
}
