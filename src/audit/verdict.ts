/** What became of a claim, or of a check that everything has to pass. */
export interface Verdict {
  /** E.g. `unbiased`, `mean`. */
  readonly claim: string;
  /** `undecided`: sampling saw nothing against it, and could not have told it from its opposite. */
  readonly verdict: 'holds' | 'refuted' | 'undecided';
  /** How it was found, as a sentence. */
  readonly evidence: string;
}

/** Probability with which a right claim of a neuron is refuted where it is tested by sampling; none where it is integrated. */
export const FALSE_ALARM = 1e-6;

/** How the domain is drawn, and how much of it. */
export interface TestOptions {
  /** Of all that is drawn; default 1. */
  readonly seed?: number;
  /** Many more places: for certificates to publish. */
  readonly thorough?: boolean;
}

const order = { refuted: 2, undecided: 1, holds: 0 } as const;

/** Of verdicts on the same claim the worst; of several that are as bad, the first. */
export function worstOf(verdicts: readonly Verdict[]): Verdict[] {
  const worst = new Map<string, Verdict>();
  for (const one of verdicts) {
    const known = worst.get(one.claim);
    if (!known || order[one.verdict] > order[known.verdict]) worst.set(one.claim, one);
  }
  return [...worst.values()];
}
