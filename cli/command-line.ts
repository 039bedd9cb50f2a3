import { quote } from 'shell-quote';

/** A word that every shell reads as it stands; a `=` first would be a command's path to some. */
const PLAIN = /^[\w@%+:,./-][\w@%+:,./=-]*$/;

/** A flipgrad command, quoted for pasting into a shell. */
export const commandLine = (...words: readonly string[]): string =>
  ['flipgrad', ...words].map((word) => (PLAIN.test(word) ? word : quote([word]))).join(' ');

/** A path as a word of a command: never taken for an option. */
export const pathWord = (path: string): string => (path.startsWith('-') ? `./${path}` : path);
