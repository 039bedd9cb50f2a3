import type { Finished } from '../kit/experiment.ts';
import { ARMS } from './arms.ts';

export interface NoiseTrial {
  readonly data: 'digits' | 'mnist';
  readonly arm: string;
  readonly examples: number;
  readonly units: number;
  readonly epochs: number;
  readonly seed: number;
}

export interface NoiseResult {
  /** Training criterion of the last epoch, as sampled, in nats. */
  readonly trainLoss: number;
  /** Training error of the weights of the best epoch on validation, noise off. */
  readonly trainError: number;
  readonly test: { readonly sampled: number; readonly meanField: number };
  /** First epoch whose criterion is under the target; none when there is none. */
  readonly epochsToTarget?: number;
  readonly curve: readonly { readonly trainLoss: number; readonly validError: number }[];
  readonly dataChecksum: string;
  readonly engine: string;
}

export type NoiseDone = Finished<NoiseTrial, NoiseResult>;

export const grid =
  (data: NoiseTrial['data'], widths: readonly number[], sizes: readonly { examples: number; epochs: number }[]) =>
  (seeds: readonly number[]): NoiseTrial[] =>
    seeds.flatMap((seed) =>
      sizes.flatMap((size) =>
        widths.flatMap((units) => Object.keys(ARMS).map((arm) => ({ data, arm, ...size, units, seed }))),
      ),
    );
