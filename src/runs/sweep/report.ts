import { studentQuantile } from '../../math/student.ts';
import type { SweepDefinition } from './definition.ts';
import { importances } from './importance.ts';
import type { Configuration, SweepPlan } from './plan.ts';
import type { PastFailure, TrialOutcome } from './trial.ts';

/** A mean with its 95% interval by Student's distribution; `half` is half its width, NaN for a single number. */
export interface MeanInterval {
  readonly mean: number;
  readonly half: number;
  readonly count: number;
}

/** A configuration among others. */
export interface RankedConfiguration extends Configuration {
  /** Of the metric, over seeds. */
  readonly metric: MeanInterval;
  /** The metric's difference to the best configuration, over the seeds that both have; none for the best itself. */
  readonly behind?: MeanInterval;
}

/** The ranking of a sweep, the importance of its settings, and what failed. */
export interface SweepReport {
  readonly name: string;
  readonly metric: string;
  readonly goal: 'minimize' | 'maximize';
  readonly complete: boolean;
  /** Trials that are done or failed, and those that there will be at most. */
  readonly trials: number;
  readonly atMost: number;
  /** Trials that failed, with the reason. */
  readonly failed: readonly { readonly key: string; readonly reason: string }[];
  /** Failures of trials that were given out again, the oldest first. */
  readonly retried: readonly PastFailure[];
  /** The best first: those that went to their end before those that were pruned or are under way; failed ones last. */
  readonly configurations: readonly RankedConfiguration[];
  /** How much each setting matters, as shares of 1. */
  readonly importances: Readonly<Record<string, number>>;
}

/** The mean and its interval. */
export function meanInterval(values: readonly number[]): MeanInterval {
  const count = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / count;
  if (count < 2) return { mean, half: Number.NaN, count };
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (count - 1));
  return { mean, half: (studentQuantile(0.975, count - 1) * deviation) / Math.sqrt(count), count };
}

/**
 * Ranks what a sweep has found so far.
 * @param retried failures that do not count any more, for the record
 */
export function reportSweep(
  definition: SweepDefinition,
  plan: SweepPlan,
  outcomes: ReadonlyMap<string, TrialOutcome>,
  retried: readonly PastFailure[] = [],
): SweepReport {
  const tried = plan.configurations.filter(({ values }) => values.length > 0);
  const standing = ({ loss, pruned, values }: Configuration) =>
    Number.isNaN(loss) ? 2 : Number(pruned !== undefined || values.length < definition.seeds);
  const ranked = [...tried].sort((a, b) => standing(a) - standing(b) || a.loss - b.loss || a.number - b.number);
  const best = ranked.at(0);
  return {
    name: definition.name,
    metric: definition.metric,
    goal: definition.goal,
    complete: plan.complete,
    trials: plan.trials.filter(({ key }) => outcomes.has(key)).length,
    atMost: plan.atMost,
    failed: plan.trials.flatMap(({ key }) => {
      const outcome = outcomes.get(key);
      return outcome?.state === 'failed' ? [{ key, reason: outcome.reason }] : [];
    }),
    retried,
    configurations: ranked.map((configuration) => ({
      ...configuration,
      metric: meanInterval(configuration.values),
      ...(best &&
        configuration !== best && {
          behind: meanInterval(pairs(configuration.values, best.values)),
        }),
    })),
    importances: importances(definition.space, tried),
  };
}

function pairs(values: readonly number[], others: readonly number[]): number[] {
  return values.slice(0, others.length).map((value, i) => value - others[i]);
}
