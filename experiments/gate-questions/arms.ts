import {
  dense,
  type GateOptions,
  gated,
  type LayerSpec,
  type Neuron,
  type NeuronSpec,
  resolveNeuron,
} from '../../src/index.ts';
import { CONTROL_GATES, type ControlGates } from '../kit/control-gates.ts';

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
/** Learning rates, of which the better by the mean validation error counts. */
const RATES = [0.1, 0.3];

interface AskedArms {
  readonly rates: readonly number[];
  /** Does it train for as long as gates take to close? */
  readonly long: boolean;
  readonly arms: Readonly<Record<string, Arm>>;
}

/** 1,024 rectifiers in blocks, an eighth of them open, gates on the same input. */
const blocks = (size: number, gates: GateOptions): LayerSpec[] => [
  gated(UNITS, { blocks: UNITS / size, rate: SHARE, gater: [], activation: 'rectifier', ...gates }),
  dense(10),
];
const topK: NeuronSpec = { name: 'top-k', share: SHARE, value: 'sigmoid' };
const noisyTopK: NeuronSpec = { name: 'noisy-top-k', share: SHARE, value: 'sigmoid' };

/** The wide net of the 2013 table with noisy rectifiers, one gate an expert. */
const wide = (options: GateOptions): LayerSpec[] => [
  gated(2000, { neuron: 'noisy-rectifier', gater: [400], rate: 0.1, start: 'zero', ...options }),
  dense(10),
];

export interface Arm {
  layers(): LayerSpec[];
  /** How it is validated and tested; default: cut at a threshold. */
  readonly mode?: ControlGates['mode'];
}

const controlled = ({ options, mode }: ControlGates): Arm => ({ layers: () => blocks(32, options(SHARE)), mode });

/** Arms by the question that they answer; the first is what the others are compared with. */
export const QUESTIONS = {
  'closed gates': {
    // Only this rate is in question. Gates need about 1,500 steps to close (2013 table).
    rates: [0.3],
    long: true,
    arms: {
      'as in 2013': { layers: () => wide({ steer: false }) },
      nudged: { layers: () => wide({ steer: false, nudge: true }) },
      'steered to the rate': { layers: () => wide({}) },
    },
  },
  'sparse updates': {
    rates: RATES,
    long: false,
    arms: {
      'all updates': { layers: () => [dense(DENSE, 'rectifier'), dense(10)] },
      'half of the updates': { layers: () => [dense(DENSE, sparselyUpdated(1 / 2)), dense(10)] },
      'an eighth of the updates': { layers: () => [dense(DENSE, sparselyUpdated(SHARE)), dense(10)] },
    },
  },
  'k of n': {
    rates: RATES,
    long: false,
    arms: {
      '1 of 8 blocks of 128': { layers: () => blocks(128, { neuron: topK }) },
      '4 of 32 blocks of 32': { layers: () => blocks(32, { neuron: topK }) },
      '16 of 128 blocks of 8': { layers: () => blocks(8, { neuron: topK }) },
    },
  },
  'learnt gates': {
    rates: RATES,
    long: false,
    arms: {
      learnt: { layers: () => blocks(32, { neuron: noisyTopK }) },
      'hash routing': controlled(CONTROL_GATES.hash),
      random: controlled(CONTROL_GATES.random),
    },
  },
} as const satisfies Readonly<Record<string, AskedArms>>;
export type Question = keyof typeof QUESTIONS;

/** @throws RangeError for an arm that the question has not */
export function armOf(question: Question, arm: string): Arm {
  const arms: Readonly<Record<string, Arm>> = QUESTIONS[question].arms;
  if (!arms[arm])
    throw new RangeError(`"${question}" has no arm "${arm}". Expected one of ${Object.keys(arms).join(', ')}.`);
  return arms[arm];
}
