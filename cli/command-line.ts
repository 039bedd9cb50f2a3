import { quote } from 'shell-quote';

/** A command of flipgrad that people can paste into a shell, whatever its words are. */
export const commandLine = (...words: readonly string[]): string => quote(['flipgrad', ...words]);

/** A path as a word of a command: never taken for an option. */
export const pathWord = (path: string): string => (path.startsWith('-') ? `./${path}` : path);
