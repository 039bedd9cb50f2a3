/** Every task. Adding one: a file beside this one, and a line here. */
import { classification } from './classification.ts';
import { ctc } from './ctc.ts';
import { multiLabel } from './multi-label.ts';
import { nextToken } from './next-token.ts';
import { regression } from './regression.ts';
import { vae } from './vae.ts';

export const tasks = {
  classification,
  regression: regression(),
  'multi-label': multiLabel,
  'next-token': nextToken,
  ctc,
  vae: vae(),
};
export type TaskName = keyof typeof tasks;
