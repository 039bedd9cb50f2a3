/** All experiments that `flipgrad reproduce` knows. */
import { experimentsByName } from './by-name.ts';
import type { Experiment } from './kit/experiment.ts';

export const experiments: readonly Experiment[] = await Promise.all(
  Object.values(experimentsByName).map((load) => load()),
);
