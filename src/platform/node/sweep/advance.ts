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
  /** How often failed trials have been given out again. */
  readonly retries: number;
}

/**
 * Asks for the trials that a sweep wants next, and notes when it is complete. Any process may call it at any time, several at once
 * too: the plan follows from the results alone, and a trial is queued once. So a sweep survives the death of any process.
 * @param before what was known the last time, which saves reading all results again
 * @throws SweepError when there is no such sweep
 */
export async function advance(store: SweepStore, queue: TrialQueue, sweep: string, before?: Advance): Promise<Advance> {
  const definition = before?.definition ?? (await store.definition(sweep));
  if (!definition) throw new SweepError(`There is no sweep "${sweep}" in the database.`);
  for (const { key, attempt, drop } of await queue.dead(sweep)) {
    const outcome: TrialOutcome = { state: 'failed', reason: 'Every worker that took it died.' };
    await store.record(sweep, key, outcome, { worker: 'none', seconds: 0, attempt });
    await drop();
  }
  const { results, retries } = await store.counts(sweep);
  const same = before?.retries === retries;
  const read = await store.results(sweep, same ? before.last : 0);
  // Results stay for ever; failures only until they are taken back.
  const outcomes = new Map([...(before?.outcomes ?? [])].filter(([, { state }]) => same || state === 'done'));
  const add = (results: readonly StoredResult[]): StoredResult[] => {
    const fresh = results.filter(({ key }) => !outcomes.has(key));
    for (const { key, outcome } of fresh) outcomes.set(key, outcome);
    return fresh;
  };
  const fresh = add(read.results);
  // Fewer than were counted before: some that committed late have smaller numbers than the last that was read.
  if (results > outcomes.size) fresh.push(...add((await store.results(sweep)).results));
  const plan = planSweep(definition, outcomes);
  const known = new Set(same ? before.plan.trials.map(({ key }) => key) : []);
  const wanted = plan.trials.filter(({ key }) => !known.has(key) && !outcomes.has(key));
  if (wanted.length > 0) {
    const attempts = await store.addTrials(sweep, wanted, { asked: plan.trials.length, retries });
    // Failed trials were given out again meanwhile: what was read does not hold any more.
    if (!attempts) return advance(store, queue, sweep, before);
    await queue.add(sweep, wanted, attempts);
  }
  if (plan.complete && !(await store.finish(sweep, retries))) return advance(store, queue, sweep, before);
  return { definition, plan, outcomes, fresh, last: read.last, retries };
}
