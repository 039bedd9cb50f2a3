/** What hinton-noise compares, and by what it measures speed. */
import type { NeuronSpec } from '../../src/index.ts';
import { dropout } from './dropout.ts';

/** Hidden units that are compared; the first is the deterministic net. */
export const ARMS: Readonly<Record<string, NeuronSpec>> = {
  deterministic: 'sigmoid',
  'binary stochastic': 'straight-through-derivative',
  'as if deterministic': 'as-if-deterministic',
  dropout,
  'Gaussian noise': 'noisy-sigmoid',
};
/** Nats of the training criterion as sampled. */
export const TARGET = 0.2;
