/** Exit codes of every command. */
export const ExitCode = { done: 0, refuted: 1, badUsage: 2, interrupted: 130 } as const;

/** Bad usage or bad input, told in a sentence. */
export class UsageError extends Error {
  override name = 'UsageError';
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
];

/** The text and exit code for an error that reached the top: a sentence, or a stack where it is our own fault. */
export function explain(error: unknown): { text: string; code: number } {
  if (!(error instanceof Error)) return { text: String(error), code: ExitCode.badUsage };
  if (error.name === 'AbortError') return { text: 'Interrupted.', code: ExitCode.interrupted };
  if (SENTENCES.includes(error.name) || (error as NodeJS.ErrnoException).code?.startsWith('E'))
    return { text: `flipgrad: ${error.message}`, code: ExitCode.badUsage };
  return { text: `flipgrad: an error of its own, not of your input:\n${error.stack}`, code: ExitCode.badUsage };
}
