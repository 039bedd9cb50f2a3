/** Edit distance (Levenshtein 1966) between two words. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

/** The end of an error sentence for an unknown name: the nearest known one, and all of them. */
export function suggest(given: string, known: readonly string[]): string {
  const nearest = [...known].sort((a, b) => editDistance(given, a) - editDistance(given, b))[0];
  const close =
    nearest?.startsWith(given) || (nearest && editDistance(given, nearest) <= Math.max(2, given.length / 2));
  return `${close && given !== '' ? `Did you mean "${nearest}"? ` : ''}Known: ${known.join(', ')}.`;
}
