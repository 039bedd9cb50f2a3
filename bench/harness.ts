/**
 * Runs benchmarks against each other fairly: every sample is a fresh process, the order alternates from round to round,
 * an entry's figure is the median over rounds, and ratios are taken within one run of the harness.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median } from '../src/index.ts';

export interface Entry {
  readonly name: string;
  /** A program and its arguments. The last line of its output is JSON with `milliseconds`, or with `skipped`. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly cwd?: string;
}

export interface BenchmarkRecord {
  readonly name: string;
  /** Median over rounds of what the processes reported; NaN where skipped. */
  readonly milliseconds: number;
  /** One figure a round, in the order of rounds. */
  readonly rounds: readonly number[];
  /** Median over rounds of this entry's time divided by the first entry's time in the same round. */
  readonly ratio: number;
  /** Why the entry could not run here. */
  readonly skipped?: string;
  /** The first process's own line: versions, threads, samples. */
  readonly facts: Readonly<Record<string, unknown>>;
}

const run = promisify(execFile);

/** Runs every entry once a round; odd rounds go backwards. An entry that says `skipped` is not run again. */
export async function runAlternating(
  entries: readonly Entry[],
  { rounds = 5, signal }: { rounds?: number; signal?: AbortSignal } = {},
): Promise<BenchmarkRecord[]> {
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`rounds is ${rounds}: give a whole number from 1`);
  const lines = entries.map((): Record<string, unknown>[] => []);
  const forward = entries.map((_, i) => i);
  for (let round = 0; round < rounds; round++) {
    for (const i of round % 2 === 0 ? forward : forward.toReversed()) {
      if (lines[i][0]?.skipped === undefined) lines[i].push(await runOnce(entries[i], signal));
    }
  }
  const times = lines.map((ofEntry) => ofEntry.map((line) => Number(line.milliseconds)));
  return entries.map(({ name }, i) => ({
    name,
    milliseconds: median(times[i]),
    rounds: times[i],
    ratio: median(times[i].map((time, round) => time / times[0][round])),
    ...(lines[i][0].skipped === undefined ? {} : { skipped: String(lines[i][0].skipped) }),
    facts: lines[i][0],
  }));
}

async function runOnce({ name, command, cwd }: Entry, signal?: AbortSignal): Promise<Record<string, unknown>> {
  const [program, ...args] = command;
  const options = { encoding: 'utf8' as const, maxBuffer: 1 << 26, ...(cwd && { cwd }), ...(signal && { signal }) };
  const { stdout } = await run(program, args, options);
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const line = parseLine(last);
  if (line === undefined || (line.skipped === undefined && !Number.isFinite(line.milliseconds)))
    throw new Error(`${name}: the last line of output is no JSON with milliseconds: ${JSON.stringify(last)}`);
  return line;
}

function parseLine(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
