import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects all garbage now, so that what memory grows by is what is still in use. */
export const collectGarbage: () => void = runInNewContext('gc');
