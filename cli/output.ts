import { stripVTControlCharacters } from 'node:util';
import { HIDDEN, visibleJson } from '../src/math/text.ts';
import { ExitCode, OutputError } from './exit.ts';

const REASONS: Readonly<Record<string, string>> = {
  EPIPE: 'its reader went away',
  EIO: 'its terminal is gone',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk quota is used up',
  EFBIG: 'its file would be larger than this process may write',
};

/** The streams that cannot be written any more. */
const broken = new Set<NodeJS.WriteStream>();
let failure: OutputError | undefined;
/** Called when output breaks, so that there is time to save. */
const stops = new Set<(error: OutputError) => void>();

/**
 * Ends the process when output cannot be written; where something is to be saved, that is told to stop instead. Why is said in a sentence, but
 * where a reader went away.
 */
export function guardOutput(): void {
  for (const [stream, name] of [
    [process.stdout, 'Standard output'],
    [process.stderr, 'Standard error'],
  ] as const)
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      broken.add(stream);
      if (failure) return;
      failure = new OutputError(`${name} cannot be written: ${REASONS[code ?? ''] ?? message}.`, code === 'EPIPE');
      for (const stop of stops) stop(failure);
      if (stops.size > 0) return;
      if (!failure.readerLeft) printError(`flipgrad: ${failure.message}\n`);
      process.exit(ExitCode.badUsage);
    });
}

/** Has `stop` called when output cannot be written. @returns takes it back */
export function onBrokenOutput(stop: (error: OutputError) => void): () => void {
  stops.add(stop);
  return () => stops.delete(stop);
}

/** Prints a text for people on standard output. */
export const print = (text: string): void => write(process.stdout, plain(text));

/** Prints a line of JSON on standard output. @param replacer as `JSON.stringify` takes it */
export const printJson = (value: unknown, replacer?: (key: string, value: unknown) => unknown): void =>
  write(process.stdout, `${visibleJson(JSON.stringify(value, replacer))}\n`);

/** Prints a text for people on standard error. */
export const printError = (text: string): void => write(process.stderr, plain(text));

function write(stream: NodeJS.WriteStream, text: string): void {
  if (!broken.has(stream)) stream.write(text);
}

/** A text without control sequences; line ends and tabs stay. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text).replace(HIDDEN, (character) => ('\n\t'.includes(character) ? character : ''));

/** The same in one line. */
export const plainLine = (text: string): string => plain(text).replaceAll(/[\n\t]/g, ' ');
