import { constants } from 'node:os';
import { isAway } from '../src/platform/node/sweep/patient.ts';
import { ExitCode, Interruption, OutputError } from './exit.ts';
import { onBrokenOutput } from './output.ts';

/** What asks a command to stop: Ctrl-C, a system that ends processes, a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C can come twice, from the terminal and from a parent that passes it on (npm does); within so many milliseconds it is one. */
const ECHO = 500;
/** What an interruption says where nothing was saved. */
const INTERRUPTED = 'Interrupted.';

/**
 * Does something that the first signal, or output that cannot be written, asks to stop, through an AbortSignal, so that it can save. The second Ctrl-C ends the process at
 * once. The exit code is the shell's: 128 and the number of the signal. What has nothing to save needs no such thing: the system ends
 * it at once, with the same code.
 */
export async function untilInterrupted(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupt = new AbortController();
  let code: number = ExitCode.interrupted;
  const stop = (): void => interrupt.abort(new Interruption(INTERRUPTED, code));
  const listeners = SIGNALS.map((signal) => {
    const listener = (): void => {
      if (interrupt.signal.aborted) return;
      code = 128 + constants.signals[signal];
      stop();
      // Without a listener the system ends the process, even while it computes and no listener could run.
      setTimeout(() => process.removeListener(...listeners[0]), ECHO).unref();
    };
    return [signal, listener] as const;
  });
  for (const [signal, listener] of listeners) process.on(signal, listener);
  let failure: OutputError | undefined;
  const release = onBrokenOutput((error) => {
    if (interrupt.signal.aborted) return;
    failure = error;
    stop();
  });
  // The process that started this one, on whose behalf it works, is gone.
  process.on('disconnect', stop);
  try {
    await action(interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    const text = messageOf(error);
    if (text === undefined) throw error;
    if (failure?.readerLeft && text === INTERRUPTED) throw failure;
    throw failure ? new OutputError(`${failure.message} ${text}`, false) : new Interruption(text, code);
  } finally {
    release();
    for (const [signal, listener] of listeners) process.removeListener(signal, listener);
    process.removeListener('disconnect', stop);
  }
  if (failure) throw failure;
}

/** What an interruption ended in; undefined for an error of another kind. */
function messageOf(error: unknown): string | undefined {
  if (isAway(error))
    return 'Interrupted while the database was away; results so far are kept there. The same command goes on.';
  if (error instanceof Interruption) return error.message;
  return error instanceof Error && error.name === 'AbortError' ? INTERRUPTED : undefined;
}
