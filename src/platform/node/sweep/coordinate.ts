import { setTimeout as sleep } from 'node:timers/promises';
import { type Advance, advance } from './advance.ts';
import type { TrialQueue } from './queue.ts';
import type { SweepStore } from './store.ts';

/**
 * Watches over a sweep until it is complete or this is stopped, and tells whenever something has changed. It owns nothing that the
 * database has not: when it dies, workers go on, and another one takes over by doing the same.
 * @param poll seconds between two looks
 */
export async function* coordinate(
  store: SweepStore,
  queue: TrialQueue,
  sweep: string,
  { signal, poll = 1 }: { signal: AbortSignal; poll?: number },
): AsyncGenerator<Advance, void> {
  let known: Advance | undefined;
  while (!signal.aborted) {
    const now = await advance(store, queue, sweep, known);
    const changed = known?.retries !== now.retries || now.fresh.length > 0 || now.plan.complete;
    known = now;
    if (changed) yield now;
    if (now.plan.complete) return;
    await queue.recover(sweep);
    await sleep(1000 * poll, undefined, { signal }).catch(() => {});
  }
}
