import type { SweepDefinition } from '../../../runs/sweep/definition.ts';
import { planSweep, type SweepPlan } from '../../../runs/sweep/plan.ts';
import type { TrialOutcome } from '../../../runs/sweep/trial.ts';
import type { TrialQueue } from './queue.ts';
import type { StoredResult, SweepStore } from './store.ts';
import { SweepError } from './sweep-error.ts';

/** What is known of a sweep. */
export interface Advance {
  readonly definition: SweepDefinition;
  readonly plan: SweepPlan;
  readonly outcomes: ReadonlyMap<string, TrialOutcome>;
  /** Results that came since the time before. */
  readonly fresh: readonly StoredResult[];
  /** Number of the last result that was read. */
  readonly last: number;
}

/**
 * Asks for the trials that a sweep wants next, and notes when it is complete. Anybody may do it at any time, several at once too: the
 * plan follows from the results alone, and nothing is put in twice. So a sweep goes on whoever dies.
 * @param before what was known the last time, which saves reading all results again
 * @throws SweepError when there is no such sweep
 */
export async function advance(store: SweepStore, queue: TrialQueue, sweep: string, before?: Advance): Promise<Advance> {
  const definition = before?.definition ?? (await store.definition(sweep));
  if (!definition) throw new SweepError(`There is no sweep "${sweep}" in the database.`);
  for (const { trial, drop } of await queue.dead(sweep)) {
    const outcome: TrialOutcome = { state: 'failed', reason: 'Every worker that took it died.' };
    await store.record(sweep, trial.key, outcome, { worker: 'none', seconds: 0 });
    await drop();
  }
  const { results } = await store.counts(sweep);
  const read = await store.results(sweep, before?.last ?? 0);
  const outcomes = new Map(before?.outcomes ?? []);
  const add = (results: readonly StoredResult[]): StoredResult[] => {
    const fresh = results.filter(({ key }) => !outcomes.has(key));
    for (const { key, outcome } of fresh) outcomes.set(key, outcome);
    return fresh;
  };
  const fresh = add(read.results);
  // Fewer than were counted before: some that committed late have smaller numbers than the last that was read.
  if (results > outcomes.size) fresh.push(...add((await store.results(sweep)).results));
  const plan = planSweep(definition, outcomes);
  const known = new Set(before?.plan.trials.map(({ key }) => key));
  const wanted = plan.trials.filter(({ key }) => !known.has(key) && !outcomes.has(key));
  if (wanted.length > 0) {
    await store.addTrials(sweep, wanted);
    await queue.add(sweep, wanted);
  }
  if (plan.complete) await store.finish(sweep);
  return { definition, plan, outcomes, fresh, last: read.last };
}
