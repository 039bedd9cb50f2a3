import { type Command, CommanderError } from 'commander';
import { ExitCode, explain } from '../../cli/exit.ts';

/**
 * Runs a command in this process, without the seconds that a process of its own takes to start.
 * @returns what the command line would print, and its exit code
 */
export async function runHere(
  command: Command,
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const kept = { stdout: process.stdout.write, stderr: process.stderr.write };
  const streams = ['stdout', 'stderr'] as const;
  for (const stream of streams)
    process[stream].write = (text: string | Uint8Array): boolean => {
      // Commands write text; bytes are what the test runner tells its parent meanwhile.
      if (typeof text !== 'string') return kept[stream].call(process[stream], text);
      written[stream] += text;
      return true;
    };
  try {
    await command.exitOverride().parseAsync([...args], { from: 'user' });
    return { code: 0, ...written };
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.exitCode === 0 ? 0 : ExitCode.badUsage, ...written };
    const { text, code } = explain(error);
    return { code, stdout: written.stdout, stderr: `${written.stderr}${text}\n` };
  } finally {
    for (const stream of streams) process[stream].write = kept[stream];
  }
}
