import type { EstimatorProbeRow, NeuronSpec } from '../../src/index.ts';
import { averaged } from './averaged.ts';
import { curvatureTask } from './curvature-objective.ts';
import type { NoiseForm } from './noise-form.ts';

/** Passes of the arms that are to be free of gradient noise. */
export const MANY = 16;

const BITS = 'straight-through-derivative';

export const UNBIASED = 'local-expectation';

export const GAUSSIAN = 'gaussian-matched';

export interface Arm {
  readonly neuron: NeuronSpec;
  readonly task?: typeof curvatureTask;
  /** Are its gradients compared with those of other neurons, and its noise with its second order? */
  readonly looked?: { readonly probes: boolean };
}

/** What is compared: hidden units, and what they are trained by. */
export const ARMS = {
  deterministic: { neuron: 'sigmoid', looked: { probes: false } },
  bits: { neuron: BITS, looked: { probes: true } },
  'bits, 4 passes': { neuron: averaged(BITS, 4) },
  'bits, many passes': { neuron: averaged(BITS, MANY) },
  'bits, unbiased': { neuron: UNBIASED },
  'bits, unbiased, many passes': { neuron: averaged(UNBIASED, MANY) },
  'mean of 2 bits': { neuron: 'binomial:m=2' },
  'mean of 4 bits': { neuron: 'binomial:m=4' },
  'mean of 8 bits': { neuron: 'binomial:m=8' },
  'Gaussian noise, trained as bits': { neuron: `${GAUSSIAN}:gradient=straight-through` },
  'Gaussian noise, trained as bits, many passes': { neuron: averaged(`${GAUSSIAN}:gradient=straight-through`, MANY) },
  'Gaussian noise': { neuron: GAUSSIAN },
  'Gaussian noise, many passes': { neuron: averaged(GAUSSIAN, MANY) },
  'curvature penalty': { neuron: 'sigmoid', task: curvatureTask },
} as const satisfies Readonly<Record<string, Arm>>;

export type ArmName = keyof typeof ARMS;

export interface WhyTrial {
  readonly data: 'digits' | 'mnist';
  readonly arm: ArmName;
  readonly rate: number;
  readonly examples: number;
  readonly units: number;
  readonly epochs: number;
  readonly seed: number;
}

/** The training criterion after so many steps, in nats, as sampled and with the noise off. */
export interface Point {
  readonly step: number;
  readonly sampled: number;
  readonly off: number;
}

export interface WhyResult {
  readonly curve: readonly Point[];
  readonly test: { readonly sampled: number; readonly off: number };
  /** The noise of `bits` bits on the weights after an epoch. */
  readonly forms: readonly (NoiseForm & { readonly epoch: number; readonly bits: number })[];
  readonly probed: readonly Pick<
    EstimatorProbeRow,
    'neuron' | 'trains' | 'variance' | 'ratio' | 'distance' | 'squaredMean'
  >[];
  readonly dataChecksum: string;
  readonly engine: string;
}

export const grid =
  (setting: Omit<WhyTrial, 'arm' | 'rate' | 'seed'>, rates: readonly number[]) =>
  (seeds: readonly number[]): WhyTrial[] =>
    seeds.flatMap((seed) =>
      rates.flatMap((rate) => Object.keys(ARMS).map((arm) => ({ ...setting, arm: arm as ArmName, rate, seed }))),
    );
