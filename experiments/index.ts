/** Every experiment that `flipgrad reproduce` knows: adding one is a file and a line here. */
import { conditionalImages } from './conditional-images/run.ts';
import { conditionalSpeed } from './conditional-speed/run.ts';
import { conditionalText } from './conditional-text/run.ts';
import { gateQuestions } from './gate-questions/run.ts';
import { hintonNoise } from './hinton-noise/run.ts';
import type { Experiment } from './kit/experiment.ts';
import { noiseInjection } from './noise-injection/run.ts';
import { table1 } from './table-1/run.ts';
import { unbiasedRegulariser } from './unbiased-regulariser/run.ts';
import { weightNoise } from './weight-noise/run.ts';
import { whySlow } from './why-slow/run.ts';

export const experiments: readonly Experiment[] = [
  hintonNoise,
  table1,
  conditionalSpeed,
  conditionalText,
  conditionalImages,
  whySlow,
  gateQuestions,
  unbiasedRegulariser,
  noiseInjection,
  weightNoise,
].map((experiment) => experiment as unknown as Experiment);
