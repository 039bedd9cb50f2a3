import type { Command } from 'commander';

/** A setting as it is written on the command line. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Which flags does the command line give? */
export const givenIn =
  (command: Command) =>
  (name: string): boolean =>
    command.getOptionValueSource(name) === 'cli';
