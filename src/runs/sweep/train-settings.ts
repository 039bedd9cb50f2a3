import type { RecordedBlas } from '../recorded-blas.ts';

/** What a sweep can tell a trial's training, by the names of the options of `flipgrad train`; what is left out has its default there. */
export interface TrainSettings {
  readonly data?: string;
  /** A task with its options, as `--task` takes it; default `classification`. */
  readonly task?: string;
  readonly preset?: string;
  readonly model?: 'gated' | 'dense';
  readonly neuron?: string;
  /** The network as a text of layers, as `--layers` takes it, in the place of `model` and what goes with it. */
  readonly layers?: string;
  readonly units?: number;
  readonly blocks?: number;
  readonly gater?: readonly number[];
  readonly activation?: string;
  readonly rate?: number | 'none';
  readonly sparsity?: string;
  readonly start?: 'rate' | 'zero';
  readonly steer?: boolean;
  readonly nudge?: boolean;
  readonly balance?: boolean;
  readonly compute?: 'auto' | 'dense' | 'blocks';
  readonly probe?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly optimizer?: string;
  readonly lr?: number;
  readonly gaterLr?: number;
  readonly momentum?: number;
  readonly maxNorm?: number;
  readonly decay?: number;
  readonly patience?: number;
  /** Kernel build; default `simd` in a sweep, which has the same bits on every machine. */
  readonly simd?: 'auto' | 'simd' | 'relaxed';
  /** Default `off` in a sweep, so that every machine computes the same bits. */
  readonly blas?: RecordedBlas;
}

/** Settings as plain JSON, by name. */
export type Settings = Readonly<Record<string, Setting>>;
export type Setting = string | number | boolean | readonly number[];
