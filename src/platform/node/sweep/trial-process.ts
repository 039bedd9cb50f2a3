import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FormatError } from '../../../io/format-error.ts';
import { shorten } from '../../../io/json.ts';
import { StorageError } from '../../../runs/folder.ts';
import { Run, WEIGHTS_FILE } from '../../../runs/run.ts';
import { checkSettings } from '../../../runs/sweep/check-settings.ts';
import type { Setting, Settings } from '../../../runs/sweep/train-settings.ts';
import type { Trial, TrialOutcome } from '../../../runs/sweep/trial.ts';
import { settingSpec } from '../../../runs/train-settings.ts';
import { nodeFolder } from '../folder.ts';

/** How a trial's process ended. */
export type TrialEnd =
  | TrialOutcome
  /** It was stopped, and saved. */
  | { readonly state: 'stopped' }
  /** It ended by itself without a result: out of memory, out of disk, an error of its settings. */
  | { readonly state: 'crashed'; readonly reason: string };

/** Does a trial in a folder until it ends or is stopped. */
export type RunTrial = (trial: Trial, folder: string, signal: AbortSignal) => Promise<TrialEnd>;

export interface TrialProcessOptions {
  /** The program of the command line. */
  readonly main: string;
  readonly threads: number;
  /** Seconds between checkpoints. */
  readonly checkpointEvery: number;
  /** Where data sets lie on this machine; by default where `train` looks. */
  readonly dataDir?: string | undefined;
  /** Code that all trials have: words of the command line, `--net FILE`. */
  readonly code?: readonly string[];
  /** A folder for compiled modules that only this user can write. */
  readonly compileCache?: string;
}

/** Time for a process to save and end after it was asked to, in milliseconds. */
const GRACE = 30_000;
/** Longest wait for another process that still has the run's folder: on another machine it counts as dead after two minutes. */
const PATIENCE = 180_000;
const MOST_TEXT = 4000;
/** Exit codes of a process that was interrupted, and saved: by SIGHUP, SIGINT, SIGTERM. */
const INTERRUPTED: readonly (number | null)[] = [129, 130, 143];

/**
 * A trial as `flipgrad train --run FOLDER --resume` in a process of its own, so that this process can send heartbeats while it
 * computes. The child saves and stops when this process dies (train.ts listens on the channel between them).
 */
export const trialProcess =
  ({ main, threads, checkpointEvery, dataDir, code: files = [], compileCache }: TrialProcessOptions): RunTrial =>
  async (trial, path, signal) => {
    const wrong = wrongSettings(trial);
    if (wrong !== undefined) return { state: 'failed', reason: wrong };
    const folder = nodeFolder(path);
    for (let waited = 0; waited < PATIENCE && (await folder.locked()); waited += 500) {
      if (signal.aborted) return { state: 'stopped' };
      await sleep(500);
    }
    const own = ['--run', path, '--resume', '--json', '--checkpoint-every', String(checkpointEvery)];
    const machine = ['--threads', String(threads), ...(dataDir === undefined ? [] : ['--data-dir', dataDir])];
    const args = [main, 'train', ...flagsOf(trial.settings), ...files, ...machine, ...own];
    const child = spawn(process.execPath, args, {
      // Compiled once for all trials: a short one takes half the time.
      env: { ...process.env, ...(compileCache !== undefined && { NODE_COMPILE_CACHE: compileCache }) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const { code, killedBy, text } = await ended(child, signal);
    if ((signal.aborted && code !== 0) || INTERRUPTED.includes(code)) return { state: 'stopped' };
    if (code !== 0) {
      const how = killedBy ? `was ended by ${killedBy}` : `ended with code ${code}`;
      return { state: 'crashed', reason: `${text.trim() || 'Its process said nothing'} (it ${how})` };
    }
    return outcomeOf(path).catch((error) => {
      // It is no longer there, or not what the process wrote: the trial runs again.
      if (!(error instanceof StorageError || error instanceof FormatError)) throw error;
      return { state: 'crashed', reason: `Its process ended well, but its result cannot be read: ${error.message}` };
    });
  };

/** Why a trial's settings cannot be used: they come from a database that others can write. */
function wrongSettings({ key, seed, settings }: Trial): string | undefined {
  const { seed: same, ...others } = settings;
  if (same !== seed) return `\`settings.seed\` of ${key} is ${shorten(same)}. Expected ${seed}, the trial's own.`;
  try {
    checkSettings('settings', others);
  } catch (error) {
    if (error instanceof RangeError) return `The settings of ${key} cannot be used: ${error.message}`;
    throw error;
  }
}

async function ended(
  child: ChildProcess,
  signal: AbortSignal,
): Promise<{ code: number | null; killedBy: string | null; text: string }> {
  let text = '';
  child.stderr?.on('data', (bytes) => {
    text = (text + bytes).slice(-MOST_TEXT);
  });
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    timer = setTimeout(() => child.kill('SIGKILL'), GRACE);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, killedBy) => resolve({ code, killedBy, text }));
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** The outcome that stands in a run's folder. @throws StorageError or FormatError when it cannot be read */
async function outcomeOf(path: string): Promise<TrialEnd> {
  const run = await Run.open(nodeFolder(path));
  const { result } = run.record;
  if (!result) return { state: 'crashed', reason: `Its process ended well, but ${path} has no result` };
  const { event, seconds, threads, ...rest } = result;
  const weights = await run.weights();
  if (!weights) return { state: 'crashed', reason: `Its process ended well, but ${path} has no ${WEIGHTS_FILE}` };
  return { state: 'done', result: rest, weights: createHash('sha256').update(weights).digest('hex') };
}

/** Settings as the options of `flipgrad train`. */
export function flagsOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    // An option without a value is given or left out.
    if (typeof value === 'boolean') {
      const usual = settingSpec(name)?.usual ?? false;
      return value === usual ? [] : [value ? flag : flag.replace('--', '--no-')];
    }
    return [flag, textOf(value)];
  });
}

function textOf(value: Setting): string {
  if (typeof value === 'object') return value.length > 0 ? value.join(',') : 'none';
  return String(value);
}
