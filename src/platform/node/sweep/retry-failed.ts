import { type Retryable, retryable } from '../../../runs/sweep/retryable.ts';
import type { TrialOutcome } from '../../../runs/sweep/trial.ts';
import type { SweepStore } from './store.ts';
import { SweepError } from './sweep-error.ts';

/** How often the sweep is read again when others have moved it on in between. */
const TRIES = 100;

/**
 * Takes back the failures of a sweep's trials: they are given out again, and the failures stay on record. Other processes may work on the sweep
 * meanwhile; a request that rests on the state before is refused.
 * @returns the trials that will run again, and failed ones that later trials were chosen with
 * @throws SweepError when there is no such sweep, or trials failed and none of them may run again
 */
export async function retryFailed(store: SweepStore, sweep: string): Promise<Retryable> {
  const definition = await store.definition(sweep);
  if (!definition) throw new SweepError(`There is no sweep "${sweep}" in the database.`);
  for (let i = 0; i < TRIES; i++) {
    const { retries } = await store.counts(sweep);
    const { results } = await store.results(sweep);
    const outcomes = new Map<string, TrialOutcome>(results.map(({ key, outcome }) => [key, outcome]));
    const failed = retryable(definition, outcomes);
    const { open, settled, asked } = failed;
    if (open.length === 0 && settled.length > 0)
      throw new SweepError(
        `No failed trial of "${sweep}" can run again: what it trained after ${settled.join(', ')} was chosen by that failure. Expected the same sweep under another \`name\`.`,
      );
    // Another process has asked for more trials, or given these out, since the results were read: read them again.
    if (open.length === 0 || (await store.takeBack(sweep, open, { asked, retries }))) return failed;
  }
  throw new SweepError(`The sweep "${sweep}" moved on ${TRIES} times while its failures were taken back; try again.`);
}
