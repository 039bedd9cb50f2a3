import { dense, gated, type LayerSpec, resolveNeuron } from '../../src/index.ts';

/** A network of the comparison: dense layers, or a gated layer that may stand on a dense one. */
export interface Net {
  /** Widths of dense layers of rectifiers: all hidden layers of a dense net, or what the gated layer stands on. */
  readonly widths: readonly number[];
  readonly gates?: {
    readonly units: number;
    /** Units of a block. */
    readonly size: number;
    /** Target share of open blocks. */
    readonly rate: number;
    readonly neuron: string;
  };
}

const CLASSES = 10;

/** Gates see what the layer sees, without a hidden layer: a gater that costs little. */
export function layersOf({ widths, gates }: Net): LayerSpec[] {
  const trunk = widths.map((width) => dense(width, 'rectifier'));
  if (!gates) return [...trunk, dense(CLASSES)];
  const { units, size, rate, neuron } = gates;
  const blocks = units / size;
  return [
    ...trunk,
    gated(units, { blocks, rate, neuron, gater: [], activation: 'rectifier', steer: false }),
    dense(CLASSES),
  ];
}

/** The dense net with the same layers, every block computed and no gater. */
export const ungated = ({ widths, gates }: Net): Net => ({ widths: gates ? [...widths, gates.units] : widths });

/** A name that tells nets apart. */
export function nameOfNet({ widths, gates }: Net): string {
  const trunk = widths.join('-');
  if (!gates) return `dense ${trunk}`;
  const { units, size, rate, neuron } = gates;
  return `${trunk ? `${trunk}-` : ''}${units} in blocks of ${size}, 1/${Math.round(1 / rate)} open, ${neuron}`;
}

/** Multiply-adds of one example through a dense net. */
export function multiplyAddsOf({ widths }: Net, inputs: number): number {
  const all = [inputs, ...widths, CLASSES];
  return all.slice(1).reduce((sum, width, i) => sum + all[i] * width, 0);
}

/** Multiply-adds of one example in training, about: gates at their target, and what only needs the loss or open blocks skips the others. */
export function executedOf(net: Net, inputs: number): number {
  if (!net.gates) return multiplyAddsOf(net, inputs);
  const { units, size, rate, neuron } = net.gates;
  const below = net.widths.at(-1) ?? inputs;
  const trunk = [inputs, ...net.widths].slice(0, -1).reduce((sum, width, i) => sum + width * net.widths[i], 0);
  const skips = ['loss', 'cotangent-when-open'].includes(resolveNeuron(neuron).reads);
  const open = skips ? rate : 1;
  return trunk + (below * units) / size + open * units * (below + CLASSES);
}

const denseNets = (...widths: readonly (readonly number[])[]): Net[] => widths.map((own) => ({ widths: own }));

interface Family {
  readonly neurons: readonly string[];
  /** Units, units of a block, target share; and the dense layers below. */
  readonly shapes: readonly (readonly [units: number, size: number, rate: number, widths?: readonly number[]])[];
}

const gatedNets = ({ neurons, shapes }: Family): Net[] =>
  shapes.flatMap(([units, size, rate, widths = []]) =>
    neurons.map((neuron) => ({ widths, gates: { units, size, rate, neuron } })),
  );

/** The nets of a form. Straight-through gates save work at inference alone, the others in training too. */
export const NETS: Readonly<Record<'quick' | 'full', readonly Net[]>> = {
  quick: [
    ...denseNets([8], [32], [128], [512]),
    ...gatedNets({
      neurons: ['straight-through', 'noisy-rectifier'],
      shapes: [
        [512, 32, 1 / 8],
        [1024, 32, 1 / 16],
      ],
    }),
  ],
  full: [
    ...denseNets([16], [32], [64], [128], [256], [512], [1024], [2048], [128, 128], [256, 128], [512, 512]),
    ...gatedNets({
      neurons: ['noisy-rectifier'],
      shapes: [
        [1024, 32, 1 / 16],
        [2048, 32, 1 / 16],
        [2048, 64, 1 / 8],
        [4096, 64, 1 / 16],
        [1024, 32, 1 / 8, [128]],
      ],
    }),
    // As in E. Bengio et al. 2015: 16 blocks of 16 units.
    ...gatedNets({ neurons: ['straight-through', 'noisy-rectifier'], shapes: [[256, 16, 1 / 16]] }),
    ...gatedNets({
      neurons: ['straight-through', 'noisy-rectifier', 'rectifier', 'top-k:value=sigmoid'],
      shapes: [[1024, 32, 1 / 8]],
    }),
  ],
};
