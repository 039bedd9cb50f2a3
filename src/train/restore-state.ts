import type { Model, Snapshot } from '../nn/model.ts';
import type { EpochFacts } from './events.ts';
import type { Progress, TrainingState } from './state.ts';
import type { Stepper } from './step.ts';

/** What a state is put into. */
export interface Restorable {
  readonly model: Model;
  readonly stepper: Stepper;
  /** Name of the optimizer, for messages. */
  readonly optimizer: string;
  /** Examples to train with, and in a minibatch. */
  readonly count: number;
  readonly batch: number;
}

/**
 * Puts a state whose progress has been checked into a model and its stepper.
 * @returns the best epoch so far with the model after it; undefined where no epoch is complete
 * @throws RangeError when the state does not fit the model, the optimizer, or minibatches of that size
 */
export function restoreState<E extends object>(
  { progress, model: now, slots, best }: TrainingState<Progress<E>>,
  { model, stepper, optimizer, count, batch }: Restorable,
): { event: EpochFacts & E; snapshot: Snapshot } | undefined {
  const { step, batches, examples } = progress;
  const own = stepper.arrays();
  const misfit = own.find(([name, values]) => slots.get(name)?.length !== values.length)?.[0];
  if (misfit !== undefined || slots.size !== own.length)
    throw new RangeError(
      `The state to resume from does not fit the optimizer "${optimizer}" at ${misfit ?? 'what it keeps'}.`,
    );
  if (examples !== Math.min(count, batches * batch))
    throw new RangeError(
      `The state to resume from has seen ${examples} examples in ${batches} minibatches, which minibatches of ${batch} of ${count} examples do not give.`,
    );
  if (progress.best !== undefined && !best)
    throw new RangeError('The state to resume from lacks the weights of its best epoch.');
  // Restoring checks that it fits.
  if (best) model.restore(best);
  model.restore(now);
  for (const [name, values] of own) values.set(slots.get(name) ?? []);
  stepper.step = step;
  stepper.draws = progress.draws ?? 0;
  stepper.noise?.spread();
  return progress.best !== undefined && best ? { event: progress.best, snapshot: best } : undefined;
}
