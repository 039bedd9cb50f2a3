/** Shares of examples that open a gate: of all, and of each class. */
interface Rates {
  readonly rate: number;
  readonly rates: readonly number[];
}

const MOST = 3;
/** A favourite class opens the gate more often than this many times the rate of all, and more often than this share. */
const [TIMES, LEAST] = [1.5, 0.05];

/** The classes that open a gate most, the most frequent first. */
export function favouriteClasses({ rate, rates }: Rates): number[] {
  return rates
    .map((own, label) => ({ own, label }))
    .filter(({ own }) => own > TIMES * rate && own > LEAST)
    .sort((a, b) => b.own - a.own)
    .slice(0, MOST)
    .map(({ label }) => label);
}
