import {
  dense,
  embedding,
  gated,
  type LayerSpec,
  type Neuron,
  type NeuronSpec,
  resolveNeuron,
} from '../../src/index.ts';

/** Bytes that the next one is told from, and numbers of each in the embedding. */
export const CONTEXT = 32;
const WIDTH = 16;
const CLASSES = 256;
/** Rectifiers that every net begins with. */
const TRUNK = 256;

/** A network that tells the next byte: what stands between the first layer and the output. */
export interface TextNet {
  /** Widths of dense layers of rectifiers. */
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
  };
}

/** A neuron whose gates learn nothing. */
function untrained(spec: NeuronSpec): Neuron {
  const { twin: _twin, ...base } = resolveNeuron(spec);
  return { ...base, pullback: ({ gradient }) => void gradient.fill(0) };
}

/**
 * What separates learning from sparsity: gates at the same density that learn nothing. `hash` opens by what a gater that stays at its random
 * weights says of the example, as hash routing does (Roller et al. 2021); `random` opens any.
 */
const CONTROLS: Readonly<Record<string, (rate: number) => Neuron>> = {
  hash: (rate) => ({ ...untrained({ name: 'top-k', share: rate, value: 'sigmoid' }), name: 'hash' }),
  random: (rate) => ({
    ...untrained({ name: 'noisy-top-k', share: rate, value: 'sigmoid', scale: 1e6 }),
    name: 'random',
  }),
};

/** Are its gates drawn at random, so that they are measured as sampled? */
export const isRandom = ({ gates }: TextNet): boolean => gates?.neuron === 'random';

export function layersOf({ widths, gates }: TextNet): LayerSpec[] {
  const below = [embedding(CLASSES, WIDTH), dense(TRUNK, 'rectifier')];
  const above = dense(CLASSES);
  if (!gates) return [...below, ...widths.map((width) => dense(width, 'rectifier')), above];
  const { units, size, rate, neuron, sparsity } = gates;
  const body = gated(units, {
    blocks: units / size,
    rate,
    neuron: CONTROLS[neuron]?.(rate) ?? neuron,
    gater: [],
    activation: 'rectifier',
    ...(sparsity !== undefined && { sparsity }),
  });
  return [...below, body, above];
}

/** A name that tells nets apart. */
export function nameOfNet({ widths, gates }: TextNet): string {
  if (!gates) return `dense ${widths.join('-')}`;
  const { units, size, rate, neuron } = gates;
  return `${units} in blocks of ${size}, 1/${Math.round(1 / rate)} open, ${neuron}`;
}

/** Multiply-adds of one example at the target rate. */
export function multiplyAddsOf({ widths, gates }: TextNet): number {
  const first = CONTEXT * WIDTH * TRUNK;
  if (gates) {
    const { units, size, rate } = gates;
    return first + (TRUNK * units) / size + rate * units * (TRUNK + CLASSES);
  }
  const all = [TRUNK, ...widths, CLASSES];
  return first + all.slice(1).reduce((sum, width, i) => sum + all[i] * width, 0);
}

const denseNets = (...widths: readonly (readonly number[])[]): TextNet[] => widths.map((own) => ({ widths: own }));
const gatedNet = (units: number, rate: number, neuron: string, sparsity?: string, size = 64): TextNet => ({
  widths: [],
  gates: { units, size, rate, neuron, ...(sparsity !== undefined && { sparsity }) },
});

const NOISY_TOP_K = 'noisy-top-k:value=sigmoid';

/** The nets of a form. */
export const NETS: Readonly<Record<'quick' | 'full', readonly TextNet[]>> = {
  quick: [
    ...denseNets([64], [256], [1024]),
    gatedNet(1024, 1 / 8, NOISY_TOP_K, undefined, 32),
    gatedNet(1024, 1 / 8, 'hash', undefined, 32),
  ],
  full: [
    ...denseNets([128], [256], [512], [1024], [2048], [4096], [1024, 1024]),
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
