import { vectorGrain, vectors } from './elementwise.ts';
import { SCRATCH_BYTES } from './kernel.ts';
import { COLUMN_GROUP, rowGrain } from './rows.ts';

/**
 * Kernel twins of neurons. They have no definition here: a twin is defined by the pure functions of the neuron that names
 * it (src/neurons), which the conformance suite compares it with and which the reference engine runs instead.
 */
export interface NeuronKernel {
  /** fire(logits*, noise*, h*, rows, units, state*, first, second, third);
   * pullback(logits*, noise*, h*, loss*, dh*, out*, rows, units, state*, first, second, third);
   * update(logits*, noise*, h*, loss*, rows, units, state*, first, second, third).
   * Twins of neurons that declare `selects` get their selection bias (one number a unit, or 0) in the place of the state. */
  readonly role: 'fire' | 'pullback' | 'update';
  items(rows: number, units: number): number;
  grain(rows: number, units: number): number;
  /** Whether a call of this shape can run; default: any. */
  fits?(rows: number, units: number): boolean;
}

const elementwise = (role: 'fire' | 'pullback'): NeuronKernel => ({
  role,
  items: (rows, units) => vectors(rows * units),
  grain: vectorGrain,
});

/** Scratch memory of three rows. */
const wholeRows = (role: 'fire' | 'pullback'): NeuronKernel => ({
  role,
  items: (rows) => rows,
  grain: (_rows, units) => rowGrain(8 * units),
  fits: (_rows, units) => 12 * (units + 3) <= SCRATCH_BYTES,
});

export const neuronKernels = {
  fireBernoulli: elementwise('fire'),
  fireStochasticTimesSmooth: elementwise('fire'),
  fireNoisyRectifierGaussian: elementwise('fire'),
  fireNoisyRectifierLogistic: elementwise('fire'),
  fireNoisySigmoid: elementwise('fire'),
  fireConcrete: elementwise('fire'),
  fireSteepBernoulli: elementwise('fire'),
  fireHardConcrete: elementwise('fire'),
  fireStretchedSigmoid: elementwise('fire'),
  fireGaussianMatched: elementwise('fire'),
  fireFirstBernoulli: elementwise('fire'),
  fireSigmoid: elementwise('fire'),
  fireTanh: elementwise('fire'),
  fireRectifier: elementwise('fire'),
  pullbackIdentity: elementwise('pullback'),
  pullbackLogistic: elementwise('pullback'),
  pullbackStochasticTimesSmooth: elementwise('pullback'),
  pullbackRectifier: elementwise('pullback'),
  pullbackSigmoid: elementwise('pullback'),
  pullbackTanh: elementwise('pullback'),
  pullbackConcrete: elementwise('pullback'),
  pullbackStraightThroughGumbel: elementwise('pullback'),
  pullbackReinmax: elementwise('pullback'),
  pullbackClipped: elementwise('pullback'),
  pullbackGapped: elementwise('pullback'),
  pullbackSteep: elementwise('pullback'),
  pullbackHardConcrete: elementwise('pullback'),
  pullbackGaussianMatched: elementwise('pullback'),
  pullbackRaoBlackwell: elementwise('pullback'),
  openNormal: elementwise('fire'),
  pullbackOpenNormal: elementwise('pullback'),
  fireLargest: wholeRows('fire'),
  pullbackLargest: wholeRows('pullback'),
  openLargest: wholeRows('fire'),
  pullbackOpenLargest: wholeRows('pullback'),
  fireThreshold: wholeRows('fire'),
  pullbackThreshold: wholeRows('pullback'),
  pullbackScore: { role: 'pullback', items: (rows) => rows, grain: (_rows, units) => rowGrain(units) },
  pullbackCentred: { role: 'pullback', items: (rows) => rows, grain: (_rows, units) => rowGrain(units) },
  updateCentred: {
    role: 'update',
    items: () => 1,
    grain: () => 1,
    // Two numbers a row in scratch memory.
    fits: (rows) => 8 * rows <= SCRATCH_BYTES,
  },
  updateScore: {
    role: 'update',
    items: (_rows, units) => Math.ceil(units / 4),
    grain: (rows) => rowGrain(COLUMN_GROUP * rows) * 4,
  },
} satisfies Record<string, NeuronKernel>;

export type NeuronKernelName = keyof typeof neuronKernels;
