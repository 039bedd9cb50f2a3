import { setTimeout as sleep } from 'node:timers/promises';
import type { Trial, TrialOutcome } from '../../../runs/sweep/trial.ts';
import { type Advance, advance } from './advance.ts';
import { placeBelow } from './place.ts';
import type { Claim, TrialQueue } from './queue.ts';
import { fetchCheckpoint, keepCheckpoint } from './run-files.ts';
import type { Recorded, SweepStore } from './store.ts';
import type { RunTrial } from './trial-process.ts';

export interface WorkerOptions {
  readonly store: SweepStore;
  readonly queue: TrialQueue;
  /** The sweeps to take trials of, the first first; asked again and again. */
  readonly sweeps: () => Promise<readonly string[]>;
  readonly runTrial: RunTrial;
  /** Where the runs' folders lie: a folder for each sweep, and in it one for each run. */
  readonly folder: (sweep: string) => string | Promise<string>;
  /** Do all workers see that folder? Then checkpoints are found there; if not, they go through the database. */
  readonly shared: boolean;
  /** Seconds between two looks for a new checkpoint that goes into the database. */
  readonly keepEvery: number;
  /** Who this is, for the record. */
  readonly name: string;
  /** Seconds between two questions for a trial while there is none; default 1, and it grows to ten times that. */
  readonly poll?: number;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: WorkerEvent) => void;
}

export type WorkerEvent =
  | { readonly event: 'claimed'; readonly sweep: string; readonly key: string; readonly attempts: number }
  | {
      readonly event: 'recorded';
      readonly sweep: string;
      readonly key: string;
      readonly state: TrialOutcome['state'];
      readonly seconds: number;
      readonly as: Recorded;
    }
  | { readonly event: 'given back'; readonly sweep: string; readonly key: string; readonly reason: string };

/** A trial whose program crashed so often has failed. */
const CRASHES = 3;
const SLOWEST_POLL = 10;
const LEAST_KEEP = 0.5;

/**
 * Takes trials and does them, one at a time, until the sweeps are complete or it is stopped. When it finds nothing to take it does what a
 * sweep needs to go on: it gives trials of silent workers back, and asks for the next ones when all that were asked for are done.
 */
export async function work(options: WorkerOptions): Promise<void> {
  const { store, queue, poll = 1, signal } = options;
  const states = new Map<string, Advance>();
  let names = await options.sweeps();
  for (let pause = poll; !signal.aborted && names.length > 0; ) {
    let claim: Claim | undefined;
    for (const name of names) if ((claim ??= await queue.claim(name))) break;
    if (claim) {
      pause = poll;
      await perform(claim, options);
      continue;
    }
    for (const name of names) {
      await queue.recover(name);
      const { trials, results } = await store.counts(name);
      if (trials > results) continue;
      states.set(name, await advance(store, queue, name, states.get(name)));
      if (states.get(name)?.plan.complete === false) pause = poll;
    }
    // Not all at the same moment.
    await sleep(1000 * pause * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {});
    pause = Math.min(SLOWEST_POLL * poll, 1.5 * pause);
    names = await options.sweeps();
  }
}

/** Does one trial, under a claim that is renewed all the while. */
async function perform(claim: Claim, options: WorkerOptions): Promise<void> {
  const { store, shared, name, signal, onEvent } = options;
  const { sweep, trial, attempt, attempts, lease } = claim;
  const { key, run } = trial;
  if (!(await store.isOpen(sweep, key, attempt))) return claim.complete();
  onEvent?.({ event: 'claimed', sweep, key, attempts });
  const began = performance.now();
  const path = await placeBelow(await options.folder(sweep), run);
  const lost = new AbortController();
  let kept = shared ? undefined : await fetchCheckpoint(store, sweep, run, path);
  const keep = async (): Promise<void> => {
    if (!shared) kept = await keepCheckpoint(store, sweep, run, path, kept);
  };
  const renewal = repeat((1000 * lease) / 3, async () => {
    if (!(await claim.renew())) lost.abort();
  });
  const keeping = repeat(1000 * Math.max(LEAST_KEEP, options.keepEvery), keep);
  const rest = () => Promise.all([renewal.end(), keeping.end()]);
  const stop = AbortSignal.any([signal, lost.signal]);
  const giveBack = async (reason: string): Promise<void> => {
    onEvent?.({ event: 'given back', sweep, key, reason });
    await claim.release(reason);
  };
  try {
    const end = await options.runTrial(trial, path, stop);
    await rest();
    if (end.state === 'stopped') {
      await keep();
      return giveBack(lost.signal.aborted ? 'its claim was lost' : `${name} was stopped`);
    }
    let outcome: TrialOutcome;
    if (end.state === 'crashed') {
      if ((await store.countCrash(sweep, key, attempt)) < CRASHES) return giveBack(end.reason);
      outcome = { state: 'failed', reason: end.reason };
    } else outcome = end;
    const seconds = (performance.now() - began) / 1000;
    // The result is stored first: if this process dies in between, the next worker on the trial finds it.
    if (goesOn(trial)) await keep();
    const as = await store.record(sweep, key, outcome, { worker: name, seconds, attempt });
    await claim.complete();
    if (!shared && !goesOn(trial)) await store.checkpoints.drop(sweep, run);
    onEvent?.({ event: 'recorded', sweep, key, state: outcome.state, seconds, as });
  } finally {
    await rest();
  }
}

/** May a later trial go on with this one's run? */
const goesOn = ({ key, run }: Trial): boolean => key !== run;

/** Does something again and again, the next time after the one before has ended. */
function repeat(milliseconds: number, action: () => Promise<void>): { end: () => Promise<void> } {
  const ended = new AbortController();
  const loop = (async () => {
    while (!ended.signal.aborted) {
      await sleep(milliseconds, undefined, { signal: ended.signal }).catch(() => {});
      // An error of the database shows itself in what the worker asks next; the trial is not to blame.
      if (!ended.signal.aborted) await action().catch(() => {});
    }
  })();
  return {
    async end() {
      ended.abort();
      await loop;
    },
  };
}
