/** Convolution of pictures: as a product of patches with weights, and of each channel by itself. */

import type { Engine } from '../../backend/engine.ts';
import { multiplyMatrices } from '../../backend/matmul.ts';
import { columnSums } from '../../backend/matrix.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { windows } from '../../math/windows.ts';
import { f } from '../../neurons/formula.ts';
import { checkNames, type NamesOf } from '../../schema/names.ts';
import { defineOp, type Layout, like, shapeText } from '../define-op.ts';
import type { Portable, PortableValue } from '../portable.ts';
import { rowShape, sizeOf, stridesOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { pair } from './pooling.ts';

interface Attributes {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

/** The kernels' arguments for pictures and windows, and the grid of windows. */
interface Grid {
  readonly images: number;
  readonly picture: readonly [height: number, width: number, channels: number];
  readonly size: readonly [number, number];
  readonly rows: number;
  readonly columns: number;
  /** The kernels' arguments for `count` pictures. */
  extents(images: number): Extents;
}
type Extents = readonly [number, number, number, number, number, number, number, number, number, number];

/** @throws RangeError for what is no picture, weights that do not fit, or windows that do not */
function gridOf(name: string, [x, w]: readonly NdArray[], { stride, padding }: Attributes, layout: Layout): Grid {
  const shape = rowShape(x, layout, 0);
  const [height, width, channels] = shape.slice(-3);
  const [sizeY, sizeX, inputs] = w.shape;
  if (shape.length < 3 || layout.plated[1] || w.shape.length < 3 || inputs !== channels)
    throw new RangeError(
      `${name}: weights of ${shapeText(w.shape)} do not fit rows of ${shapeText(shape)}. Expected pictures [height, width, channels] and weights [height, width, channels, …] of a window, which all rows share.`,
    );
  const rows = windows(height, sizeY, stride[0], padding[0]);
  const columns = windows(width, sizeX, stride[1], padding[1]);
  if (rows < 1 || columns < 1)
    throw new RangeError(
      `${name}: no window of ${sizeY}×${sizeX} fits into a picture of ${height}×${width}. Expected a smaller one, or padding.`,
    );
  const picture = height * width * channels;
  return {
    images: picture === 0 ? 0 : x.size / picture,
    picture: [height, width, channels],
    size: [sizeY, sizeX],
    rows,
    columns,
    extents: (images) => [images, height, width, channels, sizeY, sizeX, ...stride, ...padding],
  };
}

/** Numbers of patches in memory at once: they stay in the processor's caches, and memory does not grow with the pictures. */
const MOST_PATCHES = 1 << 19;

/** Some pictures after another: the first, how many, and their windows. */
function* chunks({ images, rows, columns, picture, size }: Grid) {
  const patch = size[0] * size[1] * picture[2];
  const each = Math.max(1, Math.floor(MOST_PATCHES / (rows * columns * patch)));
  for (let first = 0; first < images; first += each) {
    const count = Math.min(each, images - first);
    yield { first, count, windows: count * rows * columns };
  }
}

/** Is every patch one place of the picture, so that they stand there already? */
const isPlain = ({ size }: Grid, { stride, padding }: Attributes): boolean =>
  [...size, ...stride].every((extent) => extent === 1) && padding.every((extent) => extent === 0);

const convolutionOp = defineOp<Attributes>({
  name: 'convolution',
  causal: () => true,
  cost(inputs, attributes, layout) {
    const { images, rows, columns } = gridOf('convolution', inputs, attributes, layout);
    return images * rows * columns * inputs[1].size;
  },
  forward(engine, inputs, attributes, layout) {
    const [x, w, bias] = inputs;
    const grid = gridOf('convolution', inputs, attributes, layout);
    const outputs = w.shape[3];
    if (w.shape.length !== 4 || bias.size !== outputs)
      throw new RangeError(
        `convolution: weights of ${shapeText(w.shape)} and a bias of ${shapeText(bias.shape)}. Expected [height, width, channels, outputs] and [outputs].`,
      );
    const output = engine.allocate([...x.shape.slice(0, -3), grid.rows, grid.columns, outputs], 'a convolution');
    const k = w.size / outputs;
    eachChunk(engine, x, grid, attributes, ({ patches, place, windows: m }) => {
      const right = { pointer: w.pointer, rowStride: outputs, columnStride: 1 };
      const target = { pointer: output.pointer + 4 * place * outputs, rowStride: outputs };
      multiplyMatrices(engine, { pointer: patches, rowStride: k, columnStride: 1 }, right, target, {
        m,
        n: outputs,
        k,
        bias: bias.pointer,
      });
    });
    return { output };
  },
  pullback(engine, { inputs, attributes, layout, needs }, dy) {
    const [x, w, bias] = inputs;
    const grid = gridOf('convolution', inputs, attributes, layout);
    const outputs = w.shape[3];
    const k = w.size / outputs;
    const above = (place: number) => dy.pointer + 4 * place * outputs;
    const dx = needs[0] ? inputGradient(engine, x, w, grid, attributes, above) : null;
    const dWeights = needs[1] ? like(engine, w, 'the gradient of a window') : null;
    if (dWeights) {
      if (grid.images === 0) engine.backend.run('fill', dWeights.pointer, dWeights.size, 0);
      eachChunk(engine, x, grid, attributes, ({ patches, place, windows: m }) => {
        const turned = { pointer: patches, rowStride: 1, columnStride: k };
        const right = { pointer: above(place), rowStride: outputs, columnStride: 1 };
        const target = { pointer: dWeights.pointer, rowStride: outputs };
        multiplyMatrices(engine, turned, right, target, { m: k, n: outputs, k: m, accumulate: place > 0 });
      });
    }
    const flat = dy.reshaped([grid.images * grid.rows * grid.columns, outputs]);
    return [dx, dWeights, needs[2] ? columnSums(engine, flat).reshaped(bias.shape) : null];
  },
  lower(to, [x, w, bias], { attributes, result }) {
    const [, , channels, outputs] = w.shape;
    const seen = windowsOf(to, x, w, attributes);
    const [rows, columns, sizeY, sizeX] = seen.shape;
    const k = sizeY * sizeX * channels;
    const products = to.product(to.reshape(seen, [rows * columns, k]), to.reshape(w, [k, outputs]));
    return to.reshape(to.elementwise(f.add(f.logit, f.operand(1)), products, bias), result.shape);
  },
});

/** Patches of some pictures after another, each time in the same place. */
function eachChunk(
  engine: Engine,
  x: NdArray,
  grid: Grid,
  attributes: Attributes,
  use: (chunk: { readonly patches: number; readonly place: number; readonly windows: number }) => void,
): void {
  const { rows, columns, picture, size } = grid;
  const patch = size[0] * size[1] * picture[2];
  const plain = isPlain(grid, attributes);
  let patches = 0;
  for (const { first, count, windows: m } of chunks(grid)) {
    const from = x.pointer + 4 * first * sizeOf(picture);
    if (!plain) {
      patches ||= engine.backend.heap.allocate(m * patch, 'patches of pictures');
      engine.backend.run('patches', from, patches, ...grid.extents(count));
    }
    use({ patches: plain ? from : patches, place: first * rows * columns, windows: m });
  }
}

function inputGradient(
  engine: Engine,
  x: NdArray,
  w: NdArray,
  grid: Grid,
  attributes: Attributes,
  above: (place: number) => number,
): NdArray {
  const dx = like(engine, x, 'the gradient of pictures');
  const outputs = w.shape[3];
  const k = w.size / outputs;
  const plain = isPlain(grid, attributes);
  let patches = 0;
  for (const { first, count, windows: m } of chunks(grid)) {
    const to = dx.pointer + 4 * first * sizeOf(grid.picture);
    if (!plain) patches ||= engine.backend.heap.allocate(m * k, 'gradients of patches');
    const left = { pointer: above(first * grid.rows * grid.columns), rowStride: outputs, columnStride: 1 };
    const turned = { pointer: w.pointer, rowStride: 1, columnStride: outputs };
    multiplyMatrices(engine, left, turned, { pointer: plain ? to : patches, rowStride: k }, { m, n: k, k: outputs });
    if (!plain) engine.backend.run('patchesPullback', patches, to, ...grid.extents(count));
  }
  return dx;
}

const depthwiseOp = defineOp<Attributes>({
  name: 'depthwise',
  causal: () => true,
  cost(inputs, attributes, layout) {
    const { images, rows, columns } = gridOf('depthwise', inputs, attributes, layout);
    return images * rows * columns * inputs[1].size;
  },
  forward(engine, inputs, attributes, layout) {
    const [x, w, bias] = inputs;
    const grid = gridOf('depthwise', inputs, attributes, layout);
    const [, , channels] = grid.picture;
    if (w.shape.length !== 3 || bias.size !== channels)
      throw new RangeError(
        `depthwise: weights of ${shapeText(w.shape)} and a bias of ${shapeText(bias.shape)}. Expected [height, width, channels] and [channels].`,
      );
    const shape = [...x.shape.slice(0, -3), grid.rows, grid.columns, channels];
    const output = engine.allocate(shape, 'a convolution of channels');
    const pointers = [x.pointer, w.pointer, bias.pointer, output.pointer] as const;
    engine.backend.run('depthwise', ...pointers, ...grid.extents(grid.images));
    return { output };
  },
  pullback(engine, { inputs, attributes, layout, needs }, dy) {
    const [x, w, bias] = inputs;
    const grid = gridOf('depthwise', inputs, attributes, layout);
    const extents = grid.extents(grid.images);
    const dx = needs[0] ? like(engine, x, 'the gradient of pictures') : null;
    if (dx) engine.backend.run('depthwiseInputs', dy.pointer, w.pointer, dx.pointer, ...extents);
    const dWeights = needs[1] ? like(engine, w, 'the gradient of a window') : null;
    if (dWeights) engine.backend.run('depthwiseWeights', x.pointer, dy.pointer, dWeights.pointer, ...extents);
    const flat = dy.reshaped([grid.images * grid.rows * grid.columns, grid.picture[2]]);
    return [dx, dWeights, needs[2] ? columnSums(engine, flat).reshaped(bias.shape) : null];
  },
  lower(to, [x, w, bias], { attributes, result }) {
    const seen = windowsOf(to, x, w, attributes);
    const [rows, columns, sizeY, sizeX, channels] = seen.shape;
    const [windows, places] = [rows * columns, sizeY * sizeX];
    // Channel by channel: windows × places by places × 1.
    const byChannel = to.view(seen, [channels, windows, places], [1, places * channels, channels]);
    const products = to.product(byChannel, to.view(w, [channels, places, 1], [1, channels, 1]));
    const turned = to.view(products, result.shape, [columns, 1, windows]);
    return to.elementwise(f.add(f.logit, f.operand(1)), turned, bias);
  },
});

/** [rows, columns, sizeY, sizeX, channels] of a picture, zeros around it. */
function windowsOf(
  to: Portable,
  given: PortableValue,
  { shape: [sizeY, sizeX] }: PortableValue,
  { stride, padding }: Attributes,
): PortableValue {
  let x = to.reshape(given, given.shape.slice(-3));
  padding.forEach((count, axis) => {
    if (count === 0) return;
    const shape = x.shape.with(axis, count);
    const zeros = to.constant(new Float32Array(sizeOf(shape)), shape);
    x = to.concatenate([zeros, x, zeros], axis);
  });
  const [height, width, channels] = x.shape;
  const [row, column] = stridesOf(x.shape);
  const grid = [windows(height, sizeY, stride[0]), windows(width, sizeX, stride[1])];
  return to.view(x, [...grid, sizeY, sizeX, channels], [stride[0] * row, stride[1] * column, row, column, 1]);
}

/** Options of `convolution`. */
export interface ConvolutionOptions {
  /** Rows and columns from one window to the next; default 1. */
  readonly stride?: number | readonly [number, number];
  /** Rows and columns of zeros on every side of a picture; default 0. */
  readonly padding?: number | readonly [number, number];
}

const NAMES: NamesOf<ConvolutionOptions> = { stride: true, padding: true };

/** @throws RangeError for a stride under 1 or a padding under 0 */
function attributesOf(name: string, options: ConvolutionOptions): Attributes {
  checkNames(name, options, NAMES);
  const { stride = 1, padding = 0 } = options;
  const [steps, zeros] = [pair(stride), pair(padding)];
  if (
    [...steps, ...zeros].some((extent) => !Number.isInteger(extent)) ||
    Math.min(...steps) < 1 ||
    Math.min(...zeros) < 0
  )
    throw new RangeError(
      `${name}: a stride of ${steps.join('×')} and a padding of ${zeros.join('×')}. Expected whole numbers, from 1 and from 0 up.`,
    );
  return { stride: steps, padding: zeros };
}

/**
 * y = Σ windows of x times weights, + bias: x of shape [height, width, channels], weights [h, w, channels, outputs], bias [outputs] → [rows, columns,
 * outputs]. Nothing is mirrored, as in all libraries of neural networks. Source: LeCun and others 1989.
 * @throws RangeError for shapes that do not fit
 */
export const convolution = (x: Tensor, weights: Tensor, bias: Tensor, options: ConvolutionOptions = {}): Tensor =>
  convolutionOp(x, weights, bias, attributesOf('convolution', options));
convolution.definition = convolutionOp.definition;

/**
 * The same of every channel by itself: weights [h, w, channels], bias [channels] → [rows, columns, channels]. Source: Sifre 2014; Howard and others
 * 2017.
 * @throws RangeError for shapes that do not fit
 */
export const depthwise = (x: Tensor, weights: Tensor, bias: Tensor, options: ConvolutionOptions = {}): Tensor =>
  depthwiseOp(x, weights, bias, attributesOf('depthwise', options));
depthwise.definition = depthwiseOp.definition;
