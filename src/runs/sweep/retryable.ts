import type { SweepDefinition } from './definition.ts';
import { planSweep } from './plan.ts';
import type { TrialOutcome } from './trial.ts';

/** Failed trials of a sweep, by what was chosen since. */
export interface Retryable {
  /** Keys of those that nothing follows from yet: they may run again. */
  readonly open: readonly string[];
  /** Keys of those that later trials were chosen with, or others were left by: their failure has become part of the sweep. */
  readonly settled: readonly string[];
  /** How many trials the plan asks for; with more of them, less may be open. */
  readonly asked: number;
}

/**
 * Which failed trials may run again. The plan follows from outcomes, so that a failure may be taken back as long as the plan without it asks for
 * the same trials: always in a grid or a random search without pruning, else in the last round (a TPE generation, a seed, a rung).
 * @param outcomes by the key of their trial
 * @throws RangeError when a result lacks the metric
 */
export function retryable(definition: SweepDefinition, outcomes: ReadonlyMap<string, TrialOutcome>): Retryable {
  const { trials } = planSweep(definition, outcomes);
  const failed = trials.map(({ key }) => key).filter((key) => outcomes.get(key)?.state === 'failed');
  // A plan of fewer outcomes is a beginning of that of more: as many trials are the same trials.
  const staysWithout = (keys: readonly string[]): boolean => {
    const left = new Map(outcomes);
    for (const key of keys) left.delete(key);
    return planSweep(definition, left).trials.length === trials.length;
  };
  const asked = trials.length;
  if (staysWithout(failed)) return { open: failed, settled: [], asked };
  // One after the other: what may be taken back alone may not together.
  const open: string[] = [];
  for (const key of failed) if (staysWithout([...open, key])) open.push(key);
  return { open, settled: failed.filter((key) => !open.includes(key)), asked };
}
