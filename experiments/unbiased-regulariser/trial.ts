import type { NeuronSpec } from '../../src/index.ts';
import type { Finished } from '../kit/experiment.ts';
import { curvatureTask } from '../why-slow/curvature-objective.ts';

/** What is compared; the penalty is exact for one layer and its readout alone. */
export const ARMS = {
  smooth: { neuron: 'sigmoid' },
  bits: { neuron: 'straight-through-derivative' },
  'bits, unbiased': { neuron: 'local-expectation' },
  'curvature penalty': { neuron: 'sigmoid', task: curvatureTask },
} as const satisfies Readonly<Record<string, { neuron: NeuronSpec; task?: typeof curvatureTask }>>;
export type ArmName = keyof typeof ARMS;

export interface UnbiasedTrial {
  readonly data: 'digits' | 'mnist';
  readonly arm: ArmName;
  /** Of hidden units, layer by layer. */
  readonly widths: readonly number[];
  readonly rate: number;
  readonly examples: number;
  readonly epochs: number;
  readonly seed: number;
}

/** Errors are shares in [0, 1], with the noise off. */
export interface UnbiasedResult {
  readonly validError: number;
  readonly testError: number;
  readonly trainLoss: number;
  readonly bestEpoch: number;
  readonly dataChecksum: string;
  readonly engine: string;
}

export type UnbiasedDone = Finished<UnbiasedTrial, UnbiasedResult>;

export const grid =
  (
    setting: Pick<UnbiasedTrial, 'data' | 'examples' | 'epochs'>,
    sizes: readonly (readonly number[])[],
    rates: readonly number[],
  ) =>
  (seeds: readonly number[]): UnbiasedTrial[] =>
    seeds.flatMap((seed) =>
      sizes.flatMap((widths) =>
        (Object.keys(ARMS) as ArmName[])
          .filter((arm) => widths.length === 1 || !('task' in ARMS[arm]))
          .flatMap((arm) => rates.map((rate) => ({ ...setting, arm, widths, rate, seed }))),
      ),
    );
