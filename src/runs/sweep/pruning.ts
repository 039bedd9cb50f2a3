import { checkNames, checkOneOf, type NamesOf } from '../../schema/names.ts';
import type { Space } from './space.ts';
import type { Settings } from './train-settings.ts';

/** How configurations are left early. */
export type Pruning =
  | {
      /** Seed by seed: out goes what is worse than the best on the same seeds by Wilcoxon's signed-rank test. */
      readonly by: 'wilcoxon';
      /** Level of the one-sided test; default 0.05, which takes at least five seeds. */
      readonly p?: number;
    }
  | {
      /** By epochs: after `epochs`, and then each time that many times longer, the best share goes on. */
      readonly by: 'halving';
      /** Epochs of the first rung. */
      readonly epochs: number;
      /** The share that is kept at every rung; default 1/3. Epochs grow by its inverse. */
      readonly keep?: number;
    };

/** The same with all defaults filled in. */
export type FilledPruning =
  | { readonly by: 'wilcoxon'; readonly p: number }
  | { readonly by: 'halving'; readonly epochs: number; readonly keep: number };

/** The exact test of n pairs takes n³ steps. */
const MOST_PAIRS = 100;
const MOST_RUNGS = 100;

const PRUNING_NAMES = {
  wilcoxon: { by: true, p: true },
  halving: { by: true, epochs: true, keep: true },
} as const satisfies { readonly [K in Pruning['by']]: NamesOf<Extract<Pruning, { by: K }>> };

/** Fills in defaults. @throws RangeError for what can prune nothing with so many seeds, such epochs or such a space */
export function checkPruning(given: Pruning, seeds: number, train: Settings, space: Space): FilledPruning {
  checkOneOf('pruning.by', given.by, ['wilcoxon', 'halving']);
  checkNames('`pruning`', given, PRUNING_NAMES[given.by]);
  if (given.by === 'wilcoxon') {
    const { p = 0.05 } = given;
    if (!(p > 0 && p < 1)) throw new RangeError(`\`pruning.p\` is ${p}. Expected a number between 0 and 1.`);
    // With n pairs the smallest p-value is 2^-n.
    if (2 ** -seeds > p)
      throw new RangeError(
        `With ${seeds} seeds Wilcoxon's test never gets to p = ${p}. Expected ${Math.ceil(-Math.log2(p))} seeds.`,
      );
    if (seeds > MOST_PAIRS)
      throw new RangeError(
        `Wilcoxon's test goes through all seeds, and there are ${seeds}. Expected ${MOST_PAIRS} at most.`,
      );
    return { by: 'wilcoxon', p };
  }
  const { epochs, keep = 1 / 3 } = given;
  const last = train.epochs;
  if (!(keep > 0 && keep < 1)) throw new RangeError(`\`pruning.keep\` is ${keep}. Expected a share between 0 and 1.`);
  if ('epochs' in space || !Number.isSafeInteger(last))
    throw new RangeError(
      'Successive halving grows the epochs. Expected `train.epochs` as a number, and none in `space`.',
    );
  if (!(Number.isSafeInteger(epochs) && epochs >= 1 && epochs < (last as number)))
    throw new RangeError(
      `\`pruning.epochs\` is ${epochs}, and a trial has ${last}. Expected a whole number from 1 up, less than that.`,
    );
  const rungs = Math.log((last as number) / epochs) / -Math.log(keep);
  if (rungs > MOST_RUNGS)
    throw new RangeError(
      `From ${epochs} to ${last} epochs, keeping ${keep}, there are ${Math.ceil(rungs)} rungs. Expected ${MOST_RUNGS} at most.`,
    );
  return { by: 'halving', epochs, keep };
}
