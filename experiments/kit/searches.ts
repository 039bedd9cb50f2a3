import type { Finished, Trial } from './experiment.ts';

/** A search trial tries one setting on validation; a final trial trains with the best of those that were tried. */
export interface StagedTrial extends Trial {
  readonly stage: 'search' | 'final';
}

/** How the searches of a grid belong to its final trials. */
export interface SearchRules<C extends StagedTrial, R> {
  /** Of what is searched for: trials of one name share their searches. */
  nameOf(trial: C): string;
  /** The settings of a trial: of a search the one that it tries. */
  triedBy(trial: C): readonly unknown[];
  /** What is to be least; later numbers decide where earlier ones are equal. */
  costs(result: R): readonly number[];
}

export interface Searches<C extends StagedTrial, R> {
  /** Have the searches that a final trial chooses among finished? A search waits for nothing. */
  ready(trial: C, finished: readonly Finished<C, R>[]): boolean;
  /** The best of the searches that a final trial chooses among. @throws RangeError while some of them have not finished */
  best(trial: C, finished: readonly Finished<C, R>[]): R;
}

/** Searches that come before the final trials of a grid. */
export function searches<C extends StagedTrial, R>({ nameOf, triedBy, costs }: SearchRules<C, R>): Searches<C, R> {
  const found = (trial: C, finished: readonly Finished<C, R>[]): R[] => {
    const wanted = new Set(triedBy(trial).map((setting) => JSON.stringify(setting)));
    return finished
      .filter(({ trial: other }) => other.stage === 'search' && nameOf(other) === nameOf(trial))
      .filter(({ trial: other }) => wanted.has(JSON.stringify(triedBy(other)[0])))
      .map(({ result }) => result);
  };
  const order = (a: readonly number[], b: readonly number[]): number =>
    a.map((cost, i) => cost - b[i]).find((difference) => difference !== 0) ?? 0;
  return {
    ready: (trial, finished) => trial.stage === 'search' || found(trial, finished).length === triedBy(trial).length,
    best(trial, finished) {
      const [own, wanted] = [found(trial, finished), triedBy(trial).length];
      if (own.length < wanted)
        throw new RangeError(
          `"${nameOf(trial)}" has ${own.length} of ${wanted} searches. Expected those trials to finish first.`,
        );
      return own.toSorted((a, b) => order(costs(a), costs(b)))[0];
    },
  };
}
