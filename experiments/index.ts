/** Every experiment that `flipgrad reproduce` knows: adding one is a file and a line here. */
import type { Experiment } from './experiment.ts';
import { hintonNoise } from './hinton-noise.ts';

export const experiments: readonly Experiment[] = [hintonNoise].map(
  (experiment) => experiment as unknown as Experiment,
);
