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

/** Control characters, and those that change the direction of text: a terminal takes them for commands, or shows what is not there. */
export const HIDDEN: RegExp = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** JSON without them: those that it leaves as they are become \\u escapes. */
export const visibleJson = (json: string): string =>
  json.replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A value for messages, as JSON where it is some, shortened. Whatever it is, it is written: JSON has no NaN, no bigints and no circles. */
export function shorten(value: unknown): string {
  const text = visibleJson(typeof value === 'number' ? String(value) : (jsonOf(value) ?? String(value)));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return typeof value === 'object' ? 'an object' : undefined;
  }
}

/** The most characters of a file that a message repeats. */
const MOST_QUOTED = 80;

/** A piece of a file for messages: in quotes, its control characters escaped, 80 characters at most. */
export function quoted(text: string): string {
  const whole = visibleJson(JSON.stringify(text.slice(0, MOST_QUOTED)));
  return whole.length > MOST_QUOTED || text.length > MOST_QUOTED ? `${whole.slice(0, MOST_QUOTED - 2)}…"` : whole;
}

/** The same of several pieces, 80 characters together. */
export function quotedList(texts: readonly string[]): string {
  const whole = texts.slice(0, MOST_QUOTED).map(quoted).join(', ');
  return whole.length > MOST_QUOTED ? `${whole.slice(0, MOST_QUOTED - 1)}…` : whole;
}

/** Words with commas between them: the first `most` and how many there are where there are more. */
export const listed = (words: readonly string[], most = 8): string =>
  words.length <= most ? words.join(', ') : `${words.slice(0, most).join(', ')}, … ${words.length} in all`;
