import type { Command } from 'commander';
import { explain } from '../../cli/exit.ts';

/**
 * Runs a command in this process, gives it Ctrl-C as soon as it listens for that, and waits for its end.
 * @returns what the command line would print and exit with; undefined where the command ended as if nothing had happened
 */
export async function interrupted(
  command: Command,
  args: readonly string[],
): Promise<{ text: string; code: number } | undefined> {
  const before = process.listenerCount('SIGINT');
  const end = command.parseAsync([...args], { from: 'user' }).then(
    () => undefined,
    (error: unknown) => explain(error),
  );
  for (let turns = 0; process.listenerCount('SIGINT') === before; turns++) {
    if (turns > 10_000) throw new Error('The command does not listen for SIGINT.');
    await new Promise((next) => setImmediate(next));
  }
  process.emit('SIGINT');
  return end;
}
