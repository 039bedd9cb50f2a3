import assert from 'node:assert/strict';
import { type Command, CommanderError } from 'commander';
import { ExitCode, explain } from '../../cli/exit.ts';
import { programFor } from '../../cli/program.ts';
import { type Finished, linesOf, RUNS } from './run-cli.ts';

/** What is done to a command while it runs, as in `runCli`. `kill` emits the signal to the listeners of this process and ends nothing by itself. */
interface Meanwhile {
  readonly onStarted?: (kill: (signal: NodeJS.Signals) => void) => void;
  readonly startedBy?: string;
}

/**
 * Runs a command in this process, without the seconds that a process of its own takes to start, and on one thread where the arguments
 * name no number: a worker takes a tenth of a second to start.
 * @returns what the command line would print, and its exit code
 */
export async function runHere(
  command: Command,
  args: readonly string[],
  { onStarted, startedBy = '' }: Meanwhile = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  let started = false;
  const kept = { stdout: process.stdout.write, stderr: process.stderr.write };
  const streams = ['stdout', 'stderr'] as const;
  const { exitCode } = process;
  process.exitCode = undefined;
  for (const one of [command, ...command.commands])
    if (one.options.some(({ long }) => long === '--threads')) one.setOptionValueWithSource('threads', 1, 'default');
  for (const stream of streams)
    process[stream].write = (text: string | Uint8Array): boolean => {
      // Commands write text; bytes are what the test runner tells its parent meanwhile.
      if (typeof text !== 'string') return kept[stream].call(process[stream], text);
      written[stream] += text;
      if (!started && stream === 'stdout' && written.stdout.includes(startedBy)) {
        started = true;
        onStarted?.((signal) => process.emit(signal));
      }
      return true;
    };
  try {
    await command.exitOverride().parseAsync([...args], { from: 'user' });
    return { code: Number(process.exitCode ?? 0), ...written };
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.exitCode === 0 ? 0 : ExitCode.badUsage, ...written };
    const { text, code } = explain(error);
    return { code, stdout: written.stdout, stderr: `${written.stderr}${text}\n` };
  } finally {
    for (const stream of streams) process[stream].write = kept[stream];
    process.exitCode = exitCode;
  }
}

/** The JSON lines that a command prints in this process. Fails unless it ends with code 0. */
export async function jsonLinesHere(
  command: Command,
  args: readonly string[],
): Promise<Readonly<Record<string, unknown>>[]> {
  const { code, stderr, stdout } = await runHere(command, [...args, '--json']);
  assert.equal(code, 0, stderr);
  return linesOf(stdout) as Readonly<Record<string, unknown>>[];
}

/**
 * Runs the command line in this process, its output as piped: what `runCli` gives, without a start of a second of processor time. For all
 * that is not about processes (signals, streams, limits, crashes). One at a time, since whatever is printed meanwhile counts as its output.
 */
export async function runCliHere(
  args: readonly string[],
  { env = {}, ...meanwhile }: Meanwhile & { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> {
  const given = { FLIPGRAD_RUNS: RUNS, ...env };
  const before = Object.keys(given).map((name) => [name, process.env[name]] as const);
  const terminal = process.stdout.isTTY;
  Object.assign(process.env, given);
  process.stdout.isTTY = false;
  try {
    const finished = await runHere(await programFor(args), args, meanwhile);
    return { ...finished, lines: () => linesOf(finished.stdout) };
  } finally {
    process.stdout.isTTY = terminal;
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  }
}
