import type { RecordedBlas } from '../recorded-blas.ts';
import type { SweptSettings } from '../train-settings.ts';

/** What a sweep can tell a trial's training, by the names of the options of `flipgrad train`; what is left out has its default there. */
export interface TrainSettings extends Omit<SweptSettings, 'model'> {
  readonly model?: 'gated' | 'dense' | 'lm';
  /** Kernel build; default `simd` in a sweep, which has the same bits on every machine. */
  readonly simd?: 'auto' | 'simd' | 'relaxed';
  /** Default `off` in a sweep, so that every machine computes the same bits. */
  readonly blas?: RecordedBlas;
}

/** Settings as plain JSON, by name. */
export type Settings = Readonly<Record<string, Setting>>;
/** A value of a setting as plain JSON. */
export type Setting = string | number | boolean | readonly number[] | readonly string[];
