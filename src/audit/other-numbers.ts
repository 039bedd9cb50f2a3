import { type RandomStream, randomStream } from '../random/stream.ts';

/** First word of the path of the streams for what is there to be disturbed by: the word "othr" in ASCII. */
const OTHERS = 0x6f746872;

/** Numbers for what is there to be disturbed by: other rows, idle units, and where in a minibatch a point stands. */
export const otherNumbers = (seed: number, ...path: readonly number[]): RandomStream =>
  randomStream(seed, OTHERS, ...path);
