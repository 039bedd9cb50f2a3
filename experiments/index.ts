/** Every experiment that `flipgrad reproduce` knows: adding one is a file and a line here. */
import { conditionalSpeed } from './conditional-speed.ts';
import { conditionalText } from './conditional-text.ts';
import type { Experiment } from './experiment.ts';
import { hintonNoise } from './hinton-noise.ts';
import { noiseInjection } from './noise-injection.ts';
import { table1 } from './table-1.ts';
import { weightNoise } from './weight-noise.ts';
import { whySlow } from './why-slow.ts';

export const experiments: readonly Experiment[] = [
  hintonNoise,
  table1,
  conditionalSpeed,
  conditionalText,
  whySlow,
  noiseInjection,
  weightNoise,
].map((experiment) => experiment as unknown as Experiment);
