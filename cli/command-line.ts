import { quote } from 'shell-quote';

/** A word that every shell reads as it stands; a `=` first would be a command's path to some. */
const PLAIN = /^[\w@%+:,./-][\w@%+:,./=-]*$/;

/** Characters of a word that some shell may not read as they stand. */
const RISKY = /[^\w@%+:,./=-]+/g;

/** Only what has to be quoted is, where the word stays one to the eye: `rloo\*8,binomial:m=8`. */
const quoted = (word: string): string =>
  /^=|^$|[\s'"]/.test(word) ? quote([word]) : word.replace(RISKY, (run) => quote([run]));

/** A flipgrad command, quoted for pasting into a shell. */
export const commandLine = (...words: readonly string[]): string =>
  ['flipgrad', ...words].map((word) => (PLAIN.test(word) ? word : quoted(word))).join(' ');

/** A path as a word of a command: never taken for an option. */
export const pathWord = (path: string): string => (path.startsWith('-') ? `./${path}` : path);
