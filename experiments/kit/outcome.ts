/** From what was measured to what it says of a claim. */
import type { Outcome } from './experiment.ts';
import type { Verdict } from './statistics.ts';

const OUTCOMES: Readonly<Record<Verdict, Readonly<Record<'lower' | 'higher', Outcome>>>> = {
  better: { lower: 'holds', higher: 'refuted' },
  worse: { lower: 'refuted', higher: 'holds' },
  'not shown': { lower: 'not shown', higher: 'not shown' },
};

/** What a verdict on errors, losses or times says of a claim that they are lower, or higher. */
export const outcomeOf = ({ verdict }: { readonly verdict: Verdict }, claimed: 'lower' | 'higher'): Outcome =>
  OUTCOMES[verdict][claimed];

/** An interval by its ends; NaN where there is none. */
export interface Ends {
  readonly low: number;
  readonly high: number;
}

export const endsOf = ({ mean, half }: { readonly mean: number; readonly half: number }): Ends => ({
  low: mean - half,
  high: mean + half,
});

/** Is a quantity over a bound? `holds` where all of its interval is, `refuted` where none of it is. */
export function isOver({ low, high }: Ends, bound: number): Outcome {
  if (low > bound) return 'holds';
  return high <= bound ? 'refuted' : 'not shown';
}

/** Is it at most as great as a bound? */
export function isWithin({ low, high }: Ends, bound: number): Outcome {
  if (high <= bound) return 'holds';
  return low > bound ? 'refuted' : 'not shown';
}

/** What an outcome says of gates that are claimed to be faster, or to save work; `not tested` is that of a ladder of dense nets that is too flat. */
export const PAYS: Readonly<Record<Outcome, string>> = {
  holds: 'pay',
  refuted: 'do not pay',
  'not shown': 'are not shown to pay',
  'not tested': 'could not be tested here, where a larger dense net is hardly better',
};
