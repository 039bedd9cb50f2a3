/** Every experiment that `flipgrad reproduce` knows, loaded when it is asked for: adding one is a folder and a line here. */
import type { Experiment } from './kit/experiment.ts';

const ofAnyTrial = (experiment: unknown): Experiment => experiment as Experiment;

export const experimentsByName: Readonly<Record<string, () => Promise<Experiment>>> = {
  'hinton-noise': async () => ofAnyTrial((await import('./hinton-noise/run.ts')).hintonNoise),
  'table-1': async () => ofAnyTrial((await import('./table-1/run.ts')).table1),
  'conditional-speed': async () => ofAnyTrial((await import('./conditional-speed/run.ts')).conditionalSpeed),
  'conditional-text': async () => ofAnyTrial((await import('./conditional-text/run.ts')).conditionalText),
  'conditional-images': async () => ofAnyTrial((await import('./conditional-images/run.ts')).conditionalImages),
  'why-slow': async () => ofAnyTrial((await import('./why-slow/run.ts')).whySlow),
  'gate-questions': async () => ofAnyTrial((await import('./gate-questions/run.ts')).gateQuestions),
  'unbiased-regulariser': async () => ofAnyTrial((await import('./unbiased-regulariser/run.ts')).unbiasedRegulariser),
  'noise-injection': async () => ofAnyTrial((await import('./noise-injection/run.ts')).noiseInjection),
  'weight-noise': async () => ofAnyTrial((await import('./weight-noise/run.ts')).weightNoise),
};
