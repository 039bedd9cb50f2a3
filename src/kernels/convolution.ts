/**
 * Convolution of pictures, height × width × channels: windows of sizeY × sizeX, strideY × strideX apart, on a picture with padY × padX zeros
 * around it. A patch is what a at holds, row by row, sizeY·sizeX·channels numbers: a convolution is a product of patches and weights.
 */
import { windows } from '../math/windows.ts';
import { kernel } from './kernel.ts';
import { COLUMN_GROUP, rowGrain } from './rows.ts';

const EXTENTS = [
  'images',
  'height',
  'width',
  'channels',
  'sizeY',
  'sizeX',
  'strideY',
  'strideX',
  'padY',
  'padX',
] as const;
type Extents = readonly [
  images: number,
  height: number,
  width: number,
  channels: number,
  sizeY: number,
  sizeX: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
];

/** Rows and columns of the windows. */
const gridOf = ([, height, width, , sizeY, sizeX, strideY, strideX, padY, padX]: Extents) =>
  [windows(height, sizeY, strideY, padY), windows(width, sizeX, strideX, padX)] as const;

/** Every number of every at that lies in the picture: its at, its place in the at, and its place in the pictures. */
function eachPlace(extents: Extents, visit: (at: number, inWindow: number, place: number) => void): void {
  const [images, height, width, channels, sizeY, sizeX, strideY, strideX, padY, padX] = extents;
  const [rows, columns] = gridOf(extents);
  for (let image = 0, at = 0; image < images; image++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++, at++)
        for (let j = 0; j < sizeY; j++)
          for (let i = 0; i < sizeX; i++) {
            const [y, x] = [row * strideY + j - padY, column * strideX + i - padX];
            if (y >= 0 && y < height && x >= 0 && x < width)
              visit(at, j * sizeX + i, ((image * height + y) * width + x) * channels);
          }
}

/** Patches of all windows: images·rows·columns × sizeY·sizeX·channels. Items are rows of windows. */
export const patches = kernel({
  parameters: ['x*', 'out*', ...EXTENTS],
  items: (_x, _out, ...extents) => extents[0] * gridOf(extents)[0],
  grain: (_x, _out, ...extents) => rowGrain(gridOf(extents)[1] * extents[3] * extents[4] * extents[5]),
  define(memory, x, out, ...extents) {
    const [images, , , channels, sizeY, sizeX] = extents;
    const [rows, columns] = gridOf(extents);
    const patch = sizeY * sizeX * channels;
    memory.fill(0, out, out + images * rows * columns * patch);
    eachPlace(extents, (at, inWindow, place) => {
      for (let c = 0; c < channels; c++) memory[out + at * patch + inWindow * channels + c] = memory[x + place + c];
    });
  },
});

/** The other way: every number of the pictures is the sum of its places in patches. Items are rows of pictures. */
export const patchesPullback = kernel({
  parameters: ['patches*', 'dx*', ...EXTENTS],
  items: (_patches, _dx, images, height) => images * height,
  grain: (_patches, _dx, ...extents) => rowGrain(extents[2] * extents[3] * extents[4] * extents[5]),
  define(memory, from, dx, ...extents) {
    const [images, height, width, channels, sizeY, sizeX] = extents;
    memory.fill(0, dx, dx + images * height * width * channels);
    eachPlace(extents, (at, inWindow, place) => {
      for (let c = 0; c < channels; c++)
        memory[dx + place + c] += memory[from + (at * sizeY * sizeX + inWindow) * channels + c];
    });
  },
});

/** Each channel by itself: y[at, c] = bias[c] + Σ weights[place, c]·x. Items are rows of windows. */
export const depthwise = kernel({
  parameters: ['x*', 'weights*', 'bias*', 'y*', ...EXTENTS],
  items: (_x, _weights, _bias, _y, ...extents) => extents[0] * gridOf(extents)[0],
  grain: (_x, _weights, _bias, _y, ...extents) => rowGrain(gridOf(extents)[1] * extents[3] * extents[4] * extents[5]),
  define(memory, x, weights, bias, y, ...extents) {
    const [images, , , channels] = extents;
    const [rows, columns] = gridOf(extents);
    for (let at = 0; at < images * rows * columns; at++)
      for (let c = 0; c < channels; c++) memory[y + at * channels + c] = memory[bias + c];
    eachPlace(extents, (at, inWindow, place) => {
      for (let c = 0; c < channels; c++)
        memory[y + at * channels + c] += memory[weights + inWindow * channels + c] * memory[x + place + c];
    });
  },
});

/** dx of the same. Items are rows of pictures. */
export const depthwiseInputs = kernel({
  parameters: ['dy*', 'weights*', 'dx*', ...EXTENTS],
  items: (_dy, _weights, _dx, images, height) => images * height,
  grain: (_dy, _weights, _dx, ...extents) => rowGrain(extents[2] * extents[3] * extents[4] * extents[5]),
  define(memory, dy, weights, dx, ...extents) {
    const [images, height, width, channels] = extents;
    memory.fill(0, dx, dx + images * height * width * channels);
    eachPlace(extents, (at, inWindow, place) => {
      for (let c = 0; c < channels; c++)
        memory[dx + place + c] += memory[weights + inWindow * channels + c] * memory[dy + at * channels + c];
    });
  },
});

/** The gradient of the weights of the same. Items are groups of channels. */
export const depthwiseWeights = kernel({
  parameters: ['x*', 'dy*', 'dWeights*', ...EXTENTS],
  items: (_x, _dy, _dWeights, _images, _height, _width, channels) => Math.ceil(channels / COLUMN_GROUP),
  grain: () => 1,
  define(memory, x, dy, dWeights, ...extents) {
    const [, , , channels, sizeY, sizeX] = extents;
    memory.fill(0, dWeights, dWeights + sizeY * sizeX * channels);
    eachPlace(extents, (at, inWindow, place) => {
      for (let c = 0; c < channels; c++)
        memory[dWeights + inWindow * channels + c] += memory[x + place + c] * memory[dy + at * channels + c];
    });
  },
});
