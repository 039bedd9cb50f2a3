import {
  dense,
  type GateOptions,
  gated,
  type LayerSpec,
  type Neuron,
  type NeuronSpec,
  resolveNeuron,
} from '../../src/index.ts';

/** A neuron whose gates learn nothing. */
function untrained(spec: NeuronSpec, name: string): Neuron {
  const { twin: _twin, ...base } = resolveNeuron(spec);
  return { ...base, name, pullback: ({ gradient }) => void gradient.fill(0) };
}

/**
 * A rectifier that an example updates with probability `share`: its pass is dense and its updates are sparse, which parts what sparse
 * updates do from what sparse activity does. The gradient is divided by the share, so that its mean is that of a rectifier.
 */
export function sparselyUpdated(share: number): Neuron {
  const { twin: _twin, ...base } = resolveNeuron('rectifier');
  return {
    ...base,
    name: `rectifier with ${share} of its updates`,
    noise: 1,
    pullback({ logits, noise, dh, gradient }) {
      for (let i = 0; i < gradient.length; i++) gradient[i] = logits[i] > 0 && noise[i] < share ? dh[i] / share : 0;
    },
  };
}

const UNITS = 1024;
/** Of the nets without gates. */
const DENSE = 256;
const SHARE = 1 / 8;

/** 1,024 rectifiers in blocks, an eighth of them open, gates on the same input. */
const blocks = (neuron: NeuronSpec, size: number): LayerSpec[] => [
  gated(UNITS, { blocks: UNITS / size, rate: SHARE, neuron, gater: [], activation: 'rectifier' }),
  dense(10),
];
const topK: NeuronSpec = { name: 'top-k', share: SHARE, value: 'sigmoid' };
const noisyTopK = (scale: number): NeuronSpec => ({ name: 'noisy-top-k', share: SHARE, value: 'sigmoid', scale });

/** The wide net of the 2013 table with noisy rectifiers, one gate an expert. */
const wide = (options: GateOptions): LayerSpec[] => [
  gated(2000, { neuron: 'noisy-rectifier', gater: [400], rate: 0.1, start: 'zero', ...options }),
  dense(10),
];

/** Arms by the question that they answer; the first is what the others are compared with. */
export const QUESTIONS = {
  'closed gates': {
    'as in 2013': () => wide({ steer: false }),
    nudged: () => wide({ steer: false, nudge: true }),
    'steered to the rate': () => wide({}),
  },
  'sparse updates': {
    'all updates': () => [dense(DENSE, 'rectifier'), dense(10)],
    'half of the updates': () => [dense(DENSE, sparselyUpdated(1 / 2)), dense(10)],
    'an eighth of the updates': () => [dense(DENSE, sparselyUpdated(SHARE)), dense(10)],
  },
  'k of n': {
    '1 of 8 blocks of 128': () => blocks(topK, 128),
    '4 of 32 blocks of 32': () => blocks(topK, 32),
    '16 of 128 blocks of 8': () => blocks(topK, 8),
  },
  'learnt gates': {
    learnt: () => blocks(noisyTopK(1), 32),
    // By a gater that stays at its random weights (Roller et al. 2021).
    'hash routing': () => blocks(untrained(topK, 'hash'), 32),
    random: () => blocks(untrained(noisyTopK(1e6), 'random'), 32),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, () => LayerSpec[]>>>>;
export type Question = keyof typeof QUESTIONS;

/** Are the gates drawn at random, so that they are measured as sampled? */
export const isRandom = (arm: string): boolean => arm === 'random';
