import type { LayerSpec } from '../../src/index.ts';

/** The network of the front page, but for what is chosen there. */
export const FRONT = { units: 1024, blocks: 32, gater: [16], activation: 'rectifier', classes: 10, side: 28 } as const;

export const frontLayers = (neuron: string, rate: number): LayerSpec[] => {
  const { units, blocks, gater, activation, classes } = FRONT;
  return [
    { layer: 'gated', name: 'gated', units, blocks, neuron, gater, activation, rate },
    { layer: 'dense', name: 'output', units: classes },
  ];
};

/** Where a build has the shipped network. */
export const FRONT_FILE = 'front.safetensors.gz';

/** Gates that the page offers, in words. */
export const FRONT_NEURONS: readonly (readonly [name: string, words: string])[] = [
  ['straight-through', 'a coin; its gradient goes straight through'],
  ['stochastic-binary', 'a coin; credit by luck (REINFORCE)'],
  ['stochastic-times-smooth', 'a coin times its chance'],
  ['noisy-rectifier', 'noise, cut off below zero'],
  ['hard-concrete', 'noise, stretched and cut at both ends'],
  ['top-k', 'no coin: the few largest open'],
];
