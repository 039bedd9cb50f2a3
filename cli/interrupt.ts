import { isAway } from '../src/platform/node/sweep/patient.ts';
import { ExitCode, Interruption } from './exit.ts';

/** Does something that a first Ctrl-C (or SIGTERM) asks to stop, and a second one ends at once. */
export async function untilInterrupted(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => {
    // Processes of trials notice that this one is gone, and save.
    if (interrupt.signal.aborted) process.exit(ExitCode.interrupted);
    interrupt.abort();
  };
  process.on('SIGINT', onInterrupt).on('SIGTERM', onInterrupt);
  try {
    await action(interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted || !isAway(error)) throw error;
    throw new Interruption(
      'Interrupted while the database was away; results so far are kept there. The same command goes on.',
    );
  } finally {
    process.removeListener('SIGINT', onInterrupt).removeListener('SIGTERM', onInterrupt);
  }
}
