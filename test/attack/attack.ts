/** What one kind of attack found: what was tried, and what became of it. */
export interface Outcome {
  readonly name: string;
  /** How many attacks. */
  readonly attacks: number;
  /** In words, with counts. */
  readonly found: string;
  /** Why it could not be tried here; nothing was attacked then. */
  readonly skipped?: string;
}

/** Several attacks of a kind in an empty folder. @throws AssertionError where one of them succeeds */
export type Attack = (folder: string, options: { seed: number; mutants: number }) => Promise<Outcome>;

/** What no answer to bad input may hold: a program's internals. */
export const INTERNALS = /\n\s+at |an error of its own|is not a function|Cannot read propert/;

/** A promise that may take so many seconds. @throws Error that says what did not end */
export async function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not ended after ${seconds} s.`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** How often each of some words came, as text: `3 refused, 1 read`. */
export function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}
