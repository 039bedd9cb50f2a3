/** Runs of why-slow, and how fast they are. */
import { bestRate } from '../kit/best-rate.ts';
import type { Finished } from '../kit/experiment.ts';
import type { ArmName, Point, WhyResult, WhyTrial } from './trial.ts';

export type Done = Finished<WhyTrial, WhyResult>;
/** The criterion as sampled, or with the noise off. */
export type Measure = 'sampled' | 'off';

/** Nats of the training criterion that speed is measured to. */
export const TARGET = 0.4;
/** All targets that are reported. */
export const TARGETS = [TARGET, 0.2, 0.1];

/** Steps until a curve is under the target, by the logarithm of the criterion between two points; Infinity where it never is. */
export function stepsTo(curve: readonly Point[], measure: Measure, target = TARGET): number {
  const at = curve.findIndex((point) => point[measure] <= target);
  if (at <= 0) return at === 0 ? 0 : Number.POSITIVE_INFINITY;
  const [before, after] = [curve[at - 1], curve[at]];
  const share = Math.log(before[measure] / target) / Math.log(before[measure] / after[measure]);
  return before.step + share * (after.step - before.step);
}

/** Runs of an arm at the learning rate that is fastest in the mean of the logarithm, by seed. */
export const fastest = (all: readonly Done[], arm: ArmName, measure: Measure, target = TARGET): Done[] =>
  bestRate(
    all.filter(({ trial }) => trial.arm === arm),
    ({ result }) => Math.log(stepsTo(result.curve, measure, target)),
  );

/** Where an arm never came under the target there is no number. */
const known = (x: number, text: string): string => (Number.isFinite(x) ? text : 'none');
// + 0: a share that is rounded to nothing has no sign.
export const share = (x: number): string => known(x, `${Math.round(100 * x) + 0}%`);
export const ratio = (x: number): string => known(x, x.toFixed(2));
