/** Pooling of pictures. */

import type { NdArray } from '../../backend/nd-array.ts';
import { windows } from '../../math/windows.ts';
import { f } from '../../neurons/formula.ts';
import { checkNames, checkOneOf, type NamesOf } from '../../schema/names.ts';
import { defineOp, type Layout, like, shapeText } from '../define-op.ts';
import { rowShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

interface Attributes {
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly mean: boolean;
}

/** The first extents as pictures: [..., height, width, channels]. */
function picturesOf(x: NdArray, layout: Layout): readonly [number, number, number, number] {
  const shape = rowShape(x, layout, 0);
  if (shape.length < 3)
    throw new RangeError(
      `pool: a row of the shape ${shapeText(shape)} is no picture. Expected [height, width, channels].`,
    );
  const [height, width, channels] = shape.slice(-3);
  const picture = height * width * channels;
  return [picture === 0 ? 0 : x.size / picture, height, width, channels];
}

const poolOp = defineOp<Attributes>({
  name: 'pool',
  causal: () => true,
  forward(engine, [x], { size, stride, mean }, layout) {
    const pictures = picturesOf(x, layout);
    const [, height, width] = pictures;
    const [rows, columns] = [windows(height, size[0], stride[0]), windows(width, size[1], stride[1])];
    if (rows < 1 || columns < 1)
      throw new RangeError(
        `pool: no window of ${size.join('×')} fits into a picture of ${height}×${width}. Expected a smaller one.`,
      );
    const shape = [...x.shape.slice(0, -3), rows, columns, x.shape[x.shape.length - 1]];
    const output = engine.allocate(shape, 'a pooled picture');
    engine.backend.run('pool', x.pointer, output.pointer, ...pictures, ...size, ...stride, Number(mean));
    return { output };
  },
  pullback(engine, { inputs: [x], attributes: { size, stride, mean }, layout }, dy) {
    const output = like(engine, x, 'the gradient of a pooled picture');
    const pointers = [x.pointer, dy.pointer, output.pointer] as const;
    engine.backend.run('poolPullback', ...pointers, ...picturesOf(x, layout), ...size, ...stride, Number(mean));
    return [output];
  },
  lower(to, [x], { attributes: { size, stride, mean }, result }) {
    const [, width, channels] = x.shape.slice(-3);
    const before = sizeOf(x.shape.slice(0, -3));
    const [rows, columns] = result.shape.slice(-3);
    const row = width * channels;
    const picture = x.shape.slice(-3).reduce((product, extent) => product * extent, 1);
    const strides = [picture, stride[0] * row, stride[1] * channels, 1, row, channels];
    const seen = to.view(x, [before, rows, columns, channels, ...size], strides);
    const pooled = to.reduce(mean ? 'sum' : 'max', seen, [4, 5]);
    const share = 1 / (size[0] * size[1]);
    return to.reshape(mean ? to.elementwise(f.multiply(f.logit, share), pooled) : pooled, result.shape);
  },
});

/** Options of `pool`. */
export interface PoolOptions {
  /** Height and width of a window. */
  readonly size: number | readonly [number, number];
  /** Rows and columns from one window to the next; default: its size. */
  readonly stride?: number | readonly [number, number];
  /** Default `max`. */
  readonly by?: 'max' | 'mean';
}

export const POOL_WAYS: readonly NonNullable<PoolOptions['by']>[] = ['max', 'mean'];
const NAMES: NamesOf<PoolOptions> = { size: true, stride: true, by: true };

export const pair = (value: number | readonly [number, number]): readonly [number, number] =>
  typeof value === 'number' ? [value, value] : value;

/**
 * The largest, or the mean, of every window of a picture, channel by channel: shape [..., height, width, channels] → [..., rows, columns, channels].
 * Windows lie inside the picture.
 * @throws RangeError for what is no picture, or a window that does not fit
 */
export function pool(x: Tensor, options: PoolOptions): Tensor {
  checkNames('pool', options, NAMES);
  const { size, stride = size, by = 'max' } = options;
  const [sizes, steps] = [pair(size), pair(stride)];
  if ([...sizes, ...steps].some((extent) => !Number.isInteger(extent) || extent < 1))
    throw new RangeError(
      `pool: windows of ${sizes.join('×')}, ${steps.join('×')} apart. Expected whole numbers from 1 up.`,
    );
  checkOneOf('by', by, POOL_WAYS, 'pool');
  return poolOp(x, { size: sizes, stride: steps, mean: by === 'mean' });
}
pool.definition = poolOp.definition;
