import { dense, embedding, gated, type LayerSpec, type Model, parallel, sequential } from '../../src/index.ts';
import { CONTROL_GATES } from '../kit/control-gates.ts';

/** Bytes of the context, and numbers of a byte in the embedding. */
export const CONTEXT = 32;
const WIDTH = 16;
const CLASSES = 256;
/** Rectifiers that every net begins with. */
const TRUNK = 256;

/** A network that tells the next byte: what stands between the first layer and the output. */
export interface TextNet {
  /** Widths of dense layers of rectifiers; with gates they stand beside these, and both have an output that is added. */
  readonly widths: readonly number[];
  readonly gates?: {
    readonly units: number;
    /** Units of a block. */
    readonly size: number;
    /** Share of open blocks. */
    readonly rate: number;
    /** One of the library, or a control of this experiment. */
    readonly neuron: string;
    readonly sparsity?: string;
    /**
     * Do weights start as wide as a dense net's of the units that are open for one example? Absent: as wide as one's of all units, from which a
     * net of thousands of units learns slowly.
     */
    readonly wide?: true;
  };
}

/** Layers whose weights start wider. */
const BODY = 'body';
const OUTPUT = 'output';
/** What a gate starts at, about: σ(0). */
const HALF_OPEN = 0.5;

export function layersOf({ widths, gates }: TextNet): LayerSpec[] {
  const below = [embedding(CLASSES, WIDTH), dense(TRUNK, 'rectifier')];
  const above = dense(CLASSES, 'linear', OUTPUT);
  const layers = widths.map((width) => dense(width, 'rectifier'));
  if (!gates) return [...below, ...layers, above];
  const { units, size, rate, neuron, sparsity } = gates;
  const body = gated(units, {
    blocks: units / size,
    rate,
    ...(CONTROL_GATES[neuron]?.options(rate) ?? { neuron, ...(sparsity !== undefined && { sparsity }) }),
    gater: [],
    activation: 'rectifier',
    name: BODY,
  });
  if (widths.length === 0) return [...below, body, above];
  return [...below, parallel([sequential(...layers, dense(CLASSES, 'linear', 'shared')), sequential(body, above)])];
}

/**
 * How many times wider weights start where `wide` is set. Glorot's bound √(6/(inputs + units)) is meant for sums over all inputs: here one
 * block's units each see the trunk, and the output sees the open units, each times a gate that starts at about ½.
 */
export function startFactors({ gates }: TextNet): { readonly experts: number; readonly output: number } {
  if (!gates?.wide) return { experts: 1, output: 1 };
  const { units, size, rate } = gates;
  return {
    experts: Math.sqrt((TRUNK + units) / (TRUNK + size)),
    output: Math.sqrt((units + CLASSES) / (rate * units + CLASSES)) / HALF_OPEN,
  };
}

/** Widens the weights of a model that has not been trained. */
export function widen({ parameters }: Model, net: TextNet): void {
  const { experts, output } = startFactors(net);
  for (const { name, tensor } of parameters) {
    const is = (own: string): boolean => name === own || name.endsWith(`.${own}`);
    const factor = is(`${BODY}.experts.weights`) ? experts : is(`${OUTPUT}.weights`) ? output : 1;
    if (factor === 1) continue;
    const { values } = tensor;
    for (let i = 0; i < values.length; i++) values[i] *= factor;
  }
}

/** What a net is apart from its gates' neuron: the same for a net whose gates learn and its controls. */
export function shapeOfNet({ widths, gates }: TextNet): string {
  if (!gates) return `dense ${widths.join('-')}`;
  const { units, size, rate, wide } = gates;
  const beside = widths.length > 0 ? `dense ${widths.join('-')} beside ` : '';
  return `${beside}${units} in blocks of ${size}, 1/${Math.round(1 / rate)} open${wide ? ', wide start' : ''}`;
}

/** The neuron of a net's gates; nothing for a dense net. */
export const gatesName = ({ gates }: TextNet): string => gates?.neuron ?? '';

/** A name that tells nets apart. */
export const nameOfNet = (net: TextNet): string =>
  net.gates ? `${shapeOfNet(net)}, ${gatesName(net)}` : shapeOfNet(net);

/** Multiply-adds of one example at the target rate. */
export function multiplyAddsOf({ widths, gates }: TextNet): number {
  const first = CONTEXT * WIDTH * TRUNK;
  const all = [TRUNK, ...widths, CLASSES];
  const through = all.slice(1).reduce((sum, width, i) => sum + all[i] * width, 0);
  if (!gates) return first + through;
  const { units, size, rate } = gates;
  const beside = widths.length > 0 ? through : 0;
  return first + beside + (TRUNK * units) / size + rate * units * (TRUNK + CLASSES);
}

const denseNets = (...widths: readonly (readonly number[])[]): TextNet[] => widths.map((own) => ({ widths: own }));
const gatedNet = (units: number, rate: number, neuron: string, sparsity?: string, size = 64): TextNet => ({
  widths: [],
  gates: { units, size, rate, neuron, ...(sparsity !== undefined && { sparsity }), wide: true },
});

const TOP_K = 'top-k:value=sigmoid';
const NOISY_TOP_K = 'noisy-top-k:value=sigmoid';

/** The nets of a form. */
export const NETS: Readonly<Record<'quick' | 'medium' | 'full', readonly TextNet[]>> = {
  quick: [
    ...denseNets([64], [256], [1024]),
    { ...gatedNet(1024, 1 / 16, TOP_K, undefined, 32), widths: [64] },
    gatedNet(1024, 1 / 8, NOISY_TOP_K, undefined, 32),
    gatedNet(1024, 1 / 8, 'hash', undefined, 32),
  ],
  medium: [
    ...denseNets([256], [512], [1024], [2048]),
    gatedNet(2048, 1 / 8, TOP_K),
    gatedNet(2048, 1 / 4, TOP_K),
    gatedNet(2048, 1 / 4, NOISY_TOP_K),
    gatedNet(2048, 1 / 4, 'hash'),
    gatedNet(2048, 1 / 4, 'random'),
  ],
  full: [
    ...denseNets([128], [256], [512], [1024], [2048], [4096], [1024, 1024]),
    gatedNet(2048, 1 / 8, TOP_K),
    gatedNet(2048, 1 / 4, TOP_K),
    { ...gatedNet(2048, 1 / 16, TOP_K), widths: [256] },
    { ...gatedNet(8192, 1 / 64, TOP_K), widths: [256] },
    gatedNet(2048, 1 / 16, NOISY_TOP_K),
    gatedNet(8192, 1 / 32, NOISY_TOP_K),
    gatedNet(8192, 1 / 64, NOISY_TOP_K),
    gatedNet(32_768, 1 / 128, NOISY_TOP_K),
    gatedNet(8192, 1 / 32, 'noisy-rectifier'),
    gatedNet(8192, 1 / 32, 'stochastic-binary', 'batch-rate=1,example-rate=1,variance=1'),
    gatedNet(8192, 1 / 32, 'stochastic-times-smooth'),
    gatedNet(8192, 1 / 32, 'straight-through'),
    gatedNet(8192, 1 / 32, 'hash'),
    gatedNet(8192, 1 / 32, 'random'),
  ],
};
