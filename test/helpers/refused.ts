import assert from 'node:assert/strict';
import type { Command } from 'commander';
import { runHere } from './run-here.ts';

/** Runs a command in this process, where it must end with an error. @returns as `runHere` */
export async function refused(command: Command, args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await runHere(command, args);
  assert.notEqual(code, 0, `${command.name()} ${args.join(' ')} was not refused`);
  return { code, stderr };
}
