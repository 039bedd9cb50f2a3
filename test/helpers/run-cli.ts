import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Runs that are told no folder leave theirs here. */
export const RUNS = mkdtempSync(join(tmpdir(), 'flipgrad-cli-runs-'));
process.once('exit', () => rmSync(RUNS, { recursive: true, force: true }));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON lines. */
  readonly lines: () => Record<string, unknown>[];
}

/**
 * Runs the command line in a process of its own, as a user's shell would, its output piped. `onStarted` is called when there is
 * output, and `startedBy` in it.
 */
export function runCli(
  args: readonly string[],
  options: {
    env?: Record<string, string>;
    onStarted?: (kill: (signal: NodeJS.Signals) => void) => void;
    startedBy?: string;
    /**
     * Kilobytes that it may write (`ulimit -d`, on Linux). The limit on address space, `-v`, would count what WebAssembly reserves: an honest
     * run on one thread wants 7 GB there, and 0.7 GB here.
     */
    memory?: number | undefined;
    /** After so many seconds it is killed: its code is null then. */
    seconds?: number;
  } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const limit = options.memory === undefined ? [] : ['bash', '-c', `ulimit -d ${options.memory}; exec "$@"`, 'bash'];
    const [program, ...rest] = [...limit, process.execPath, MAIN, ...args];
    const child = spawn(program, rest, {
      timeout: (options.seconds ?? 0) * 1000,
      killSignal: 'SIGKILL',
      env: { ...process.env, FLIPGRAD_RUNS: RUNS, ...options.env },
    });
    let stdout = '';
    let stderr = '';
    let started = false;
    child.stdout.on('data', (text) => {
      stdout += text;
      if (started || !stdout.includes(options.startedBy ?? '')) return;
      started = true;
      options.onStarted?.((signal) => child.kill(signal));
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout, stderr, lines: () => linesOf(stdout) });
    });
  });
}

export const linesOf = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
