import type { NeuronSpec } from '../neurons/resolve.ts';
import { depthwise as convolve } from '../tensor/ops/convolution.ts';
import { reshape } from '../tensor/ops/reshaping.ts';
import { checkWindows, firePicture, sizeWord, type WindowOptions, windowWords, zerosAround } from './convolution.ts';
import { glorotUniform } from './initialize.ts';
import { type LayerText, neuron } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** A convolution of every channel by itself. Source: Sifre 2014; Howard and others 2017. */
export interface DepthwiseSpec extends LayerDescription, WindowOptions {
  readonly layer: 'depthwise';
  /** Height and width of a window. */
  readonly size: readonly [number, number];
  /** Default `linear`. */
  readonly neuron?: NeuronSpec;
}

/** Shorthand for a `DepthwiseSpec`. */
export function depthwise(
  size: number | readonly [number, number],
  neuron: NeuronSpec = 'linear',
  options: WindowOptions & { readonly name?: string } = {},
): DepthwiseSpec {
  return { layer: 'depthwise', size: typeof size === 'number' ? [size, size] : size, neuron, ...options };
}

export const depthwiseText: LayerText<DepthwiseSpec> = {
  words: [sizeWord(), neuron('neuron', { usual: 'linear', silent: true }), ...windowWords<DepthwiseSpec>()],
};

/** Shape [height, width, channels] → [rows, columns, channels]. @throws RangeError for a spec or a picture that does not fit */
export const applyDepthwise: LayerKind<DepthwiseSpec> = (scope, spec, { dense: x }) => {
  const { size, stride = [1, 1], neuron: unit = 'linear' } = spec;
  scope.keep('checked', () => {
    checkWindows(scope, x, spec);
    return true;
  });
  const [, , channels] = x.shape;
  const places = size[0] * size[1];
  const weights = scope.parameter('weights', [places, channels], {
    axes: ['inputs', 'units'],
    stream: scope.stream,
    initialize: (array, seed, at) => glorotUniform(array, seed, at, 1, [places, 1]),
  });
  const bias = scope.parameter('bias', [channels], { axes: ['units'] });
  const windows = reshape(weights, [...size, channels]);
  return firePicture(scope, unit, convolve(x, windows, bias, { stride, padding: zerosAround(spec) }), x);
};
