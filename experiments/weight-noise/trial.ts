import type { Finished } from '../kit/experiment.ts';

/** One net: its data, how long it learns, and the noise on its weights. */
export interface WeightNoiseTrial {
  /** Training strings, and their writers. */
  readonly strings: number;
  readonly writers: number;
  readonly epochs: number;
  readonly evaluateEvery: number;
  /** LSTM units a direction. */
  readonly units: number;
  /** Strings of validation and test. */
  readonly valid: number;
  readonly test: number;
  /** `none`, the σ of fixed noise, `adaptive`, or `adaptive-after-none`. */
  readonly variant: string;
  readonly seed: number;
}

/** How a net reads strings: nats a string, and shares of labels and of strings. */
export interface Reading {
  readonly loss: number;
  readonly labelError: number;
  readonly sequenceError: number;
}

/** The epoch that is best on validation by one measure, and what the test says of its weights. */
export interface Stop {
  readonly epoch: number;
  readonly valid: Reading;
  readonly test: Reading;
}

export interface WeightNoiseResult {
  readonly weights: number;
  /** By the lowest log-loss on validation, and by the lowest share of strings with a mistake. */
  readonly byLoss: Stop;
  readonly byError: Stop;
  readonly curve: readonly { epoch: number; trainLoss: number; validLoss: number; validError: number }[];
  /** At the end, for noise that is learnt: the geometric mean of σ, and what the weights cost in nats. */
  readonly deviation?: number;
  readonly complexity?: number;
  readonly engine: string;
  readonly threads: number;
  readonly checksums: { readonly train: string; readonly valid: string; readonly test: string };
}

export type WeightNoiseDone = Finished<WeightNoiseTrial, WeightNoiseResult>;

type Size = Omit<WeightNoiseTrial, 'variant' | 'seed'>;

/** All trials, seed by seed, so that an interrupted grid has whole pairs. */
export const weightNoiseGrid =
  (sizes: readonly Size[], variants: readonly string[]) =>
  (seeds: readonly number[]): WeightNoiseTrial[] =>
    seeds.flatMap((seed) => sizes.flatMap((size) => variants.map((variant) => ({ ...size, variant, seed }))));
