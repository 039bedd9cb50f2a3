import assert from 'node:assert/strict';
import { type Command, CommanderError } from 'commander';
import { ExitCode, explain } from '../../cli/exit.ts';

/**
 * Runs a command in this process, where it must end with an error: a process of its own takes most of a second to start.
 * @returns what the command line would print, and its exit code
 */
export async function refused(command: Command, args: readonly string[]): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const writeErr = (text: string): void => {
    stderr += text;
  };
  try {
    await command
      .exitOverride()
      .configureOutput({ writeErr })
      .parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return { code: ExitCode.badUsage, stderr };
    const { text, code } = explain(error);
    return { code, stderr: `${stderr}${text}\n` };
  }
  assert.fail(`${command.name()} ${args.join(' ')} was not refused`);
}
