import type { NeuronSpec } from '../neurons/resolve.ts';
import { checkOneOf } from '../schema/names.ts';
import { convolution as convolve } from '../tensor/ops/convolution.ts';
import { reshape } from '../tensor/ops/reshaping.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkUnits } from './check.ts';
import { extents, type LayerText, neuron, oneOfOption, option, type TextWord, whole } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';
import type { Scope } from './scope.ts';

type Pair = readonly [number, number];

/** Windows of a convolution. */
export interface WindowOptions {
  /** Rows and columns from one window to the next; default 1×1. */
  readonly stride?: Pair;
  /** `same` (default): zeros around the picture, so that with a stride of 1 the output has its size; `valid`: none. */
  readonly padding?: 'same' | 'valid';
}

/** h = neuron(windows·W + b) of pictures [height, width, channels]. Any neuron of the zoo can be its unit. Source: LeCun and others 1989. */
export interface ConvolutionSpec extends LayerDescription, WindowOptions {
  readonly layer: 'convolution';
  /** Of the output. */
  readonly channels: number;
  /** Height and width of a window. */
  readonly size: Pair;
  /** Default `linear`. */
  readonly neuron?: NeuronSpec;
}

/** Shorthand for a `ConvolutionSpec`. */
export function convolution(
  channels: number,
  size: number | Pair,
  neuron: NeuronSpec = 'linear',
  options: WindowOptions & { readonly name?: string } = {},
): ConvolutionSpec {
  return { layer: 'convolution', channels, size: typeof size === 'number' ? [size, size] : size, neuron, ...options };
}

const pairText = extents(2) as { read(text: string): Pair; write(value: readonly number[]): string };

const PADDINGS = ['same', 'valid'] as const;

/** The size of a window in a layer's text: `3x3`. */
export const sizeWord = <S extends { readonly size: Pair }>(): TextWord<S> => ({
  form: 'HEIGHTxWIDTH',
  required: true,
  takes: (word) => /^\d+x/.test(word),
  read: (word) => ({ size: pairText.read(word) }) as Partial<S>,
  write: ({ size }) => pairText.write(size),
});

/** The other words of a window in a layer's text: `stride=2x2`, `padding=valid`. */
export const windowWords = <S extends WindowOptions>(): readonly TextWord<S>[] =>
  [
    option<WindowOptions, Pair>('stride', 'ROWSxCOLUMNS', pairText),
    oneOfOption<WindowOptions, 'same' | 'valid'>('padding', PADDINGS),
  ] as readonly TextWord<WindowOptions>[] as readonly TextWord<S>[];

const channelsWord: TextWord<ConvolutionSpec> = {
  form: 'CHANNELS',
  required: true,
  takes: (word) => /^\d+$/.test(word),
  read: (word) => ({ channels: whole(word, 'channels') }),
  write: ({ channels }) => String(channels),
};

/** A convolution as text: `convolution:16,3x3,stride=2x2`. */
export const convolutionText: LayerText<ConvolutionSpec> = {
  words: [
    channelsWord,
    sizeWord(),
    neuron('neuron', { usual: 'linear', silent: true }),
    ...windowWords<ConvolutionSpec>(),
  ],
};

/** @throws RangeError for what is no picture, windows that are no whole numbers, or even ones with `same` padding */
export function checkWindows(
  { name }: Scope,
  x: Tensor,
  { size, stride = [1, 1], padding = 'same' }: WindowOptions & { readonly size: Pair },
): void {
  if (x.shape.length !== 3)
    throw new RangeError(
      `${name}: a row has the shape [${x.shape.join(', ')}]. Expected [height, width, channels]: \`reshape 28x28x1\` before it makes pictures of rows.`,
    );
  for (const extent of [...size, ...stride]) checkUnits(name, extent, 'size and stride');
  checkOneOf('padding', padding, PADDINGS, name);
  if (padding === 'same' && size.some((extent) => extent % 2 === 0))
    throw new RangeError(
      `${name}: a window of ${size.join('×')} has no middle for padding "same". Expected odd extents, or padding "valid".`,
    );
}

/** Zeros on every side. */
export const zerosAround = ({ size, padding = 'same' }: WindowOptions & { readonly size: Pair }): Pair =>
  padding === 'same' ? [(size[0] - 1) / 2, (size[1] - 1) / 2] : [0, 0];

/** Fires the numbers of a picture as the units of one layer. */
export function firePicture(scope: Scope, spec: NeuronSpec, logits: Tensor, input: Tensor): Tensor {
  const neuron = scope.keep('neuron', () => scope.neuron(spec));
  if (neuron.identity) return logits;
  const site = scope.site(neuron, logits.columns, { stream: scope.stream, input });
  if (site.stochastic) scope.afterStep(() => site.countLast());
  return reshape(site.fire(scope.pass, reshape(logits, [logits.columns]), input), logits.shape);
}

/** Shape [height, width, channels] → [rows, columns, its own channels]. @throws RangeError for a spec or a picture that does not fit */
export const applyConvolution: LayerKind<ConvolutionSpec> = (scope, spec, { dense: x }) => {
  const { channels, size, stride = [1, 1], neuron: unit = 'linear' } = spec;
  scope.keep('checked', () => {
    checkUnits(scope.name, channels, 'channels');
    checkWindows(scope, x, spec);
    return true;
  });
  const [, , inputs] = x.shape;
  const shape = [size[0] * size[1] * inputs, channels];
  const weights = scope.parameter('weights', shape, { axes: ['inputs', 'units'], stream: scope.stream });
  const bias = scope.parameter('bias', [channels], { axes: ['units'] });
  const windows = reshape(weights, [...size, inputs, channels]);
  return firePicture(scope, unit, convolve(x, windows, bias, { stride, padding: zerosAround(spec) }), x);
};
