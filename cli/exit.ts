import { fileURLToPath } from 'node:url';
import { isOutOfFiles, outOfFiles } from '../src/platform/node/open-files.ts';

/** Exit codes of every command; one that SIGTERM or SIGHUP interrupted has 143 or 129, as shells count. */
export const ExitCode = { done: 0, refuted: 1, badUsage: 2, interrupted: 130 } as const;

/** Bad usage or bad input, told in a sentence. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Stopped by the user: the message says how to go on. */
export class Interruption extends Error {
  override name = 'AbortError';
  readonly code: number;

  constructor(message: string, code: number = ExitCode.interrupted) {
    super(message);
    this.code = code;
  }
}

/** Standard output or standard error cannot be written: its reader went away, or its disk is full. */
export class OutputError extends Error {
  override name = 'OutputError';
  /** Did the reader go away, as `head` does once it has enough? Then there is nothing to tell but what was saved. */
  readonly readerLeft: boolean;

  constructor(message: string, readerLeft: boolean) {
    super(message);
    this.readerLeft = readerLeft;
  }
}

/** Errors whose message is written for the user. */
const SENTENCES = [
  'UsageError',
  'RangeError',
  'DataError',
  'DownloadError',
  'HeapError',
  'NonFiniteError',
  'BlasError',
  'ExportError',
  'FormatError',
  'OutputError',
  'StorageError',
  'SweepError',
];

/** Did a call of the operating system fail? Errors of Node itself have codes too, and are no fault of the input. */
const isSystemError = (error: Error): boolean => typeof (error as NodeJS.ErrnoException).syscall === 'string';

const hasSentence = (error: Error): boolean => SENTENCES.includes(error.name) || isSystemError(error);

/** What a call of the operating system says most, as a sentence about its file. */
const SYSTEM: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `There is no ${path}. Expected the path of a file or folder that exists.`,
  EISDIR: (path) => `${path} is a folder. Expected a file.`,
  ENOTDIR: (path) => `${path} leads through a file. Expected folders before the last name.`,
  EACCES: (path) => `${path} may not be opened: permission denied.`,
};

/** The message of an error that is told: of a call of the operating system on a file, a sentence that names the file. */
export function messageOf(error: Error): string {
  const { code = '', path } = error as NodeJS.ErrnoException;
  return isSystemError(error) && path !== undefined ? (SYSTEM[code]?.(path) ?? error.message) : error.message;
}

/** Is its message a sentence for the user? */
export const isTold = (error: unknown): error is Error => error instanceof Error && hasSentence(error);

/** The text and exit code for an error that reached the top: a sentence, a stack where it is our own fault, no text where a reader went away. */
export function explain(error: unknown): { text: string; code: number } {
  if (!(error instanceof Error)) return { text: String(error), code: ExitCode.badUsage };
  if (error instanceof Interruption) return { text: error.message, code: error.code };
  if (error instanceof OutputError && error.readerLeft) return { text: '', code: ExitCode.badUsage };
  if (isOutOfFiles(error)) return { text: `flipgrad: ${outOfFiles()}`, code: ExitCode.badUsage };
  if (error.name === 'AbortError') return { text: 'Interrupted.', code: ExitCode.interrupted };
  if (hasSentence(error)) return { text: `flipgrad: ${messageOf(error)}`, code: ExitCode.badUsage };
  const file = fileOf(error);
  const whose = file === undefined ? 'an error of its own, not of your input' : `an error in ${file}`;
  return { text: `flipgrad: ${whose}:\n${error.stack}`, code: ExitCode.badUsage };
}

/** Node's exit code where what is awaited can never come: nothing is left that could bring it. */
const NEVER = 13;

/**
 * Has errors that nobody catches, as of a promise that a user's own file leaves behind, told as all others are, and with their exit code.
 * @param tell prints a text for people
 */
export function guardErrors(tell: (text: string) => void): void {
  process.on('uncaughtException', (error) => {
    const { text, code } = explain(error);
    tell(`${text}\n`);
    process.exit(code);
  });
  process.on('exit', (code) => {
    if (code !== NEVER) return;
    tell('flipgrad: something is awaited that never comes, in a file of your own or in this program.\n');
    process.exitCode = ExitCode.badUsage;
  });
}

/** Folders of this program's files; beside them, in a clone, a user may keep files of their own. */
const OURS = ['cli', 'src', 'charts', 'experiments', 'lab', 'test'].map((name) =>
  fileURLToPath(new URL(`../${name}/`, import.meta.url)),
);
/** Where a line of a stack is from: an address of a module, or the path of a CommonJS one. */
const FRAME = /^ +at (?:async )?(?:.*\()?((?:file:\/\/|\/|[A-Z]:\\).*?):\d+:\d+\)?$/m;

/** The file of the user's own that threw; undefined where it was the program, or Node, or a package. */
function fileOf({ stack = '' }: Error): string | undefined {
  const [, place] = FRAME.exec(stack) ?? [];
  if (place === undefined) return undefined;
  const file = place.startsWith('file:') ? fileURLToPath(place) : place;
  const isOurs = OURS.some((folder) => file.startsWith(folder)) || /[\\/]node_modules[\\/]/.test(file);
  return isOurs ? undefined : file;
}
