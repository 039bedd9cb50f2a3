/** Every task. Adding one: a file beside this one, and a line here. */
import { classification } from './classification.ts';
import { ctc } from './ctc.ts';
import { multiLabel } from './multi-label.ts';
import { regression } from './regression.ts';
import { vae } from './vae.ts';

export const tasks = { classification, regression, 'multi-label': multiLabel, ctc, vae: vae() };
export type TaskName = keyof typeof tasks;
