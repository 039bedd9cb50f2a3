import { type DigitsSplit, digitsSplit } from '../../src/index.ts';

let last: { readonly examples: number; readonly seed: number; readonly split: DigitsSplit } | undefined;

/**
 * So many digits to train with, 500 to validate and 1,000 to test, each part by writers of its own. The last are kept: the trials of a
 * grid that differ in anything else share them.
 */
export function heldOutDigits(examples: number, seed: number): DigitsSplit {
  if (last?.examples !== examples || last.seed !== seed)
    last = {
      examples,
      seed,
      split: digitsSplit({ seed, train: examples, valid: 500, test: 1000, heldOutWriters: true }),
    };
  return last.split;
}
