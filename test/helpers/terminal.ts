import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { quote } from 'shell-quote';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Why a test on a terminal cannot run here; undefined where it can. script(1) of util-linux makes the terminal. */
export const noTerminal: string | undefined = /util-linux/.test(spawnSync('script', ['--version']).stdout?.toString())
  ? undefined
  : 'script(1) of util-linux, which makes a pseudo-terminal, is not installed.';

/** The command line in a pseudo-terminal of its own. */
export interface Terminal {
  /** Process number of the command, not of the terminal. */
  readonly pid: Promise<number>;
  /** Everything on the screen so far. */
  readonly text: () => string;
  /** Waits for something on the screen. @throws when the command ends without it */
  see(what: RegExp): Promise<void>;
  press(keys: string): void;
  /** Closes the terminal, as a lost connection does. */
  hangUp(): void;
  /** Code as a shell has it: 128 and the number of a signal. */
  readonly end: Promise<{ code: number | null; text: string }>;
}

export const CTRL_C = '\u0003';

/** Runs the command line in a pseudo-terminal. */
export function inTerminal(
  args: readonly string[],
  { env = {}, columns = 80, before = '' }: { env?: Record<string, string>; columns?: number; before?: string } = {},
): Terminal {
  const command = `echo pid $$ .; stty cols ${columns} rows 24; ${before} exec ${quote([process.execPath, MAIN, ...args])}`;
  const child: ChildProcess = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
  });
  let text = '';
  const looks = new Set<() => void>();
  const look = (): void => {
    for (const each of looks) each();
  };
  child.stdout?.on('data', (bytes) => {
    text += bytes;
    look();
  });
  let ended = false;
  const end = new Promise<{ code: number | null; text: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      ended = true;
      look();
      resolve({ code, text });
    });
  });
  const see = (what: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = what.test(text);
        if (!found && !ended) return;
        looks.delete(check);
        if (found) resolve();
        else reject(new Error(`The command ended without ${what}: ${text}`));
      };
      looks.add(check);
      check();
    });
  return {
    pid: see(/pid \d+ \./).then(() => Number(/pid (\d+) \./.exec(text)?.[1])),
    text: () => text,
    see,
    press: (keys) => child.stdin?.write(keys),
    hangUp: () => child.kill('SIGKILL'),
    end,
  };
}
