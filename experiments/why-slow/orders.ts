/** The slow-down taken apart in all orders in which its reasons can be removed one by one. */
import { type Compared, interval, paired, type Share, shareOf } from '../kit/statistics.ts';
import { type Done, fastest, type Measure, stepsTo } from './speed.ts';
import type { ArmName } from './trial.ts';

/** What can be removed from bits while others stay, and what is left to remove then: the noise itself, which the others are of. */
const REASONS = ['gradient noise', 'wrong gradient', 'quantising'] as const;
type Removable = (typeof REASONS)[number];
export type Reason = Removable | 'variance';

/** The arm without some of the reasons. */
const WITHOUT: readonly { readonly gone: readonly Removable[]; readonly arm: ArmName }[] = [
  { gone: [], arm: 'bits' },
  { gone: ['gradient noise'], arm: 'bits, many passes' },
  { gone: ['wrong gradient'], arm: 'bits, unbiased' },
  { gone: ['gradient noise', 'wrong gradient'], arm: 'bits, unbiased, many passes' },
  { gone: ['quantising'], arm: 'Gaussian noise, trained as bits' },
  { gone: ['gradient noise', 'quantising'], arm: 'Gaussian noise, trained as bits, many passes' },
  { gone: ['wrong gradient', 'quantising'], arm: 'Gaussian noise' },
  { gone: REASONS, arm: 'Gaussian noise, many passes' },
];
const LAST: ArmName = 'deterministic';

/** All orders of some things. */
export function ordersOf<T>(things: readonly T[]): T[][] {
  if (things.length < 2) return [[...things]];
  return things.flatMap((first) => ordersOf(things.filter((other) => other !== first)).map((rest) => [first, ...rest]));
}

export interface Part {
  readonly reason: Reason;
  /** Of the logarithm of the slow-down: the mean over orders, with its interval over seeds. */
  readonly log: Compared;
  readonly share: Share;
  /** The lowest and the highest share of single orders. */
  readonly range: readonly [number, number];
}

export interface TakenApart {
  /** The logarithm of the whole slow-down. */
  readonly whole: Compared;
  readonly parts: readonly Part[];
  /** Orders whose arms have records, of all. */
  readonly orders: { readonly measured: number; readonly all: number };
}

/**
 * The logarithm of the slow-down of bits against the deterministic net, taken apart: what is gained when a reason is removed, in the mean
 * of all orders (Shapley 1953), so that the parts add up to the whole whatever interacts. The variance goes last in all of them: without
 * noise there is nothing to quantise and no noise of the gradient.
 * @returns undefined where an arm never comes under the target, or no order has records
 */
export function takenApart(all: readonly Done[], measure: Measure, target: number): TakenApart | undefined {
  const logs = (arm: ArmName): number[] | undefined => {
    if (!all.some(({ trial }) => trial.arm === arm)) return undefined;
    return fastest(all, arm, measure, target).map(({ result }) => Math.log(stepsTo(result.curve, measure, target)));
  };
  const known = new Map(WITHOUT.map(({ gone, arm }) => [keyOf(gone), logs(arm)]));
  const last = logs(LAST);
  const every = ordersOf(REASONS);
  const measured = every.filter((order) => order.every((_, i) => known.get(keyOf(order.slice(0, i + 1)))));
  const [first, end] = [known.get(keyOf([])), known.get(keyOf(REASONS))];
  if (!first || !end || !last || measured.length === 0) return undefined;
  if (![first, end, last, ...known.values()].every((own) => own?.every(Number.isFinite) ?? true)) return undefined;
  const less = (a: readonly number[], b: readonly number[]): number[] => a.map((x, i) => x - b[i]);
  const whole = less(first, last);
  /** What the removal of a reason gains in an order, seed by seed. */
  const gained = (order: readonly Removable[], reason: Removable): number[] => {
    const at = order.indexOf(reason);
    const [before, after] = [at, at + 1].map((count) => known.get(keyOf(order.slice(0, count))) as number[]);
    return less(before, after);
  };
  const partOf = (reason: Reason, byOrder: readonly (readonly number[])[]): Part => {
    const own = whole.map((_, seed) => byOrder.reduce((sum, logsOf) => sum + logsOf[seed], 0) / byOrder.length);
    const shares = byOrder.map((logsOf) => interval(logsOf).mean / interval(whole).mean);
    return {
      reason,
      log: paired(
        own,
        own.map(() => 0),
      ),
      share: shareOf(own, whole),
      range: [Math.min(...shares), Math.max(...shares)],
    };
  };
  return {
    whole: paired(first, last),
    parts: [
      ...REASONS.map((reason) =>
        partOf(
          reason,
          measured.map((order) => gained(order, reason)),
        ),
      ),
      partOf('variance', [less(end, last)]),
    ],
    orders: { measured: measured.length, all: every.length },
  };
}

const keyOf = (gone: readonly Removable[]): string => REASONS.filter((reason) => gone.includes(reason)).join();
