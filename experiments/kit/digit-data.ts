/** Digits that experiments train with: those that the library writes, or MNIST. */
import { type DigitsSplit, digitsSplit, epochOrder, type Split, slice, subset } from '../../src/index.ts';
import { loadDataset } from '../../src/platform/node/index.ts';

/** What a trial says of its data. */
export interface DigitTrial {
  readonly data: 'digits' | 'mnist';
  /** Of training. */
  readonly examples: number;
  readonly seed: number;
}

let last: { readonly examples: number; readonly seed: number; readonly split: DigitsSplit } | undefined;

/**
 * Digits to train with, 500 to validate and 1,000 to test, each part by writers of its own. The last are kept: the trials of a
 * grid that differ in anything else share them.
 */
function heldOutDigits(examples: number, seed: number): DigitsSplit {
  if (last?.examples !== examples || last.seed !== seed)
    last = {
      examples,
      seed,
      split: digitsSplit({ seed, train: examples, valid: 500, test: 1000, heldOutWriters: true }),
    };
  return last.split;
}

/**
 * Few examples to train with. Of MNIST the seed draws them.
 * @param valid validation examples of MNIST, at most
 */
export async function fewExamples(
  { data, examples, seed }: DigitTrial,
  signal: AbortSignal,
  valid = 2000,
): Promise<Split> {
  if (data === 'digits') return heldOutDigits(examples, seed);
  const split = await loadDataset('mnist', { signal });
  const drawn = epochOrder(split.train.count, seed, 1).slice(0, examples);
  return {
    ...split,
    train: subset(split.train, drawn),
    valid: slice(split.valid, 0, Math.min(split.valid.count, valid)),
  };
}

/** All of MNIST; or digits, as many to test as to train with and half as many to validate. */
export const allExamples = async ({ data, examples, seed }: DigitTrial, signal: AbortSignal): Promise<Split> =>
  data === 'digits'
    ? digitsSplit({ seed, train: examples, valid: Math.ceil(examples / 2), test: examples })
    : loadDataset('mnist', { signal });
