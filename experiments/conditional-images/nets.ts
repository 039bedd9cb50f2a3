import {
  channelBlocks,
  convolution,
  dense,
  type LayerSpec,
  norm,
  pool,
  reshape,
  residual,
  sequential,
  skipped,
} from '../../src/index.ts';
import { CONTROL_GATES } from '../kit/control-gates.ts';

/** A residual convolutional network on pictures of 28 × 28. */
export interface ImageNet {
  readonly channels: number;
  /** Residual blocks of two convolutions, on 14 × 14 points. */
  readonly depth: number;
  readonly gates?: {
    /** `layers`: whole residual blocks are skipped; `channels`: blocks of the channels of each first convolution are. */
    readonly of: 'layers' | 'channels';
    /** Share of open gates. */
    readonly rate: number;
    /** One of the library, or a control of experiments. */
    readonly neuron: string;
    readonly sparsity?: string;
  };
}

const CLASSES = 10;
/** Blocks that the channels of a gated convolution stand in. */
const BLOCKS = 4;

export function layersOf({ channels, depth, gates }: ImageNet): LayerSpec[] {
  const { of, rate = 1, neuron = '', sparsity } = gates ?? {};
  const control = CONTROL_GATES[neuron];
  const options = {
    rate,
    gater: control ? [] : [8],
    ...(control?.options(rate) ?? {
      // Gradients of hard gates drown those of the layers below.
      ...{ neuron, detached: true },
      ...(sparsity !== undefined && { sparsity }),
    }),
  };
  const first =
    of === 'channels'
      ? channelBlocks(channels, 3, { blocks: BLOCKS, ...options })
      : convolution(channels, 3, 'rectifier');
  const branch = sequential(norm(), first, convolution(channels, 3));
  const block = of === 'layers' ? skipped(branch, options) : residual(branch);
  return [
    reshape([28, 28, 1]),
    convolution(channels, 3, 'rectifier', { stride: [2, 2] }),
    ...Array.from({ length: depth }, () => block),
    norm(),
    pool(7, { by: 'mean' }),
    reshape([4 * channels]),
    dense(CLASSES),
  ];
}

/** What a net is apart from its gates' neuron and penalties: the same for a net whose gates learn and its controls. */
export function shapeOfNet({ channels, depth, gates }: ImageNet): string {
  const blocks = `${depth} residual block${depth === 1 ? '' : 's'} of ${channels} channels`;
  if (!gates) return `dense, ${blocks}`;
  return `${blocks}, ${(100 * gates.rate).toFixed(0)}% of ${gates.of === 'layers' ? 'blocks' : 'blocks of channels'} open`;
}

/** The neuron and the penalties of a net's gates; nothing for a dense net. */
export const gatesName = ({ gates }: ImageNet): string =>
  [gates?.neuron, gates?.sparsity].filter((part) => part !== undefined).join(', ');

/** A name that tells nets apart. */
export const nameOfNet = (net: ImageNet): string =>
  net.gates ? `${shapeOfNet(net)}, ${gatesName(net)}` : shapeOfNet(net);

const denseNets = (...shapes: readonly (readonly [channels: number, depth: number])[]): ImageNet[] =>
  shapes.map(([channels, depth]) => ({ channels, depth }));
const gatedNet = (
  of: 'layers' | 'channels',
  [channels, depth, rate]: readonly [number, number, number],
  neuron: string,
  sparsity?: string,
): ImageNet => ({
  channels,
  depth,
  gates: { of, rate, neuron, ...(sparsity !== undefined && { sparsity }) },
});

/** The gates of 2015: a policy that is trained by the loss, with the three penalties of the paper. */
const POLICY = ['stochastic-binary', 'batch-rate=1+example-rate=1+variance=1'] as const;

/** The nets of a form. */
export const NETS: Readonly<Record<'quick' | 'medium' | 'full', readonly ImageNet[]>> = {
  quick: [
    ...denseNets([4, 1], [8, 1], [16, 1]),
    gatedNet('layers', [8, 2, 0.5], 'straight-through-gumbel'),
    gatedNet('layers', [8, 2, 0.5], 'coin'),
    gatedNet('channels', [16, 1, 0.25], 'straight-through-gumbel'),
    gatedNet('channels', [16, 1, 0.25], ...POLICY),
    gatedNet('channels', [16, 1, 0.25], 'coin'),
  ],
  medium: [
    ...denseNets([4, 1], [8, 1], [8, 2], [16, 2], [16, 4], [32, 4]),
    ...(['straight-through-gumbel', 'coin'] as const).flatMap((neuron) => [
      gatedNet('layers', [16, 8, 0.5], neuron),
      gatedNet('channels', [32, 4, 0.25], neuron),
    ]),
    gatedNet('channels', [32, 4, 0.25], ...POLICY),
  ],
  full: [
    ...denseNets([4, 1], [8, 1], [8, 2], [16, 2], [16, 4], [32, 4], [64, 4]),
    ...(['straight-through-gumbel', 'noisy-rectifier', 'coin'] as const).flatMap((neuron) => [
      gatedNet('layers', [16, 8, 0.5], neuron),
      gatedNet('layers', [32, 8, 0.25], neuron),
      gatedNet('channels', [64, 4, 0.25], neuron),
    ]),
    gatedNet('layers', [32, 8, 0.25], ...POLICY),
    gatedNet('channels', [64, 4, 0.25], ...POLICY),
  ],
};
