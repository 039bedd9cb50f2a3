import type { Finding, ReportTable } from '../kit/experiment.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { inP, judge, type Share, withFactor } from '../kit/statistics.ts';
import { type Part, type Reason, type TakenApart, takenApart } from './orders.ts';
import { type Done, type Measure, share, TARGET, TARGETS } from './speed.ts';

export const WORDS: Readonly<Record<Measure, string>> = { sampled: 'as sampled', off: 'noise off' };
export const NEVER = `Not every arm came under ${TARGET} nats.`;

/** The reasons, in the words of claims and of tables. The second of the three that were given is two things. */
export const CLAIMED: Readonly<Record<Reason, { readonly claim: string; readonly name: string }>> = {
  'gradient noise': {
    claim: 'The gradient becomes stochastic, and that slows training down',
    name: 'noise of the gradient (averaged over many passes)',
  },
  'wrong gradient': {
    claim: 'The gradient that is used is not the gradient of anything that is computed, and that slows training down',
    name: 'not the gradient (an unbiased one in its place)',
  },
  quantising: {
    claim: 'A bit is quantised, and that slows training down more than noise of its variance does',
    name: 'quantising (Gaussian noise of the same variance in its place)',
  },
  variance: {
    claim: 'The pass itself is noisy, as much as a bit is, and that slows training down',
    name: 'variance of the pass (that noise left out)',
  },
};
const ALL = Object.keys(CLAIMED) as Reason[];

export interface ByTarget {
  readonly target: number;
  readonly measure: Measure;
  readonly apart: TakenApart | undefined;
}

const allTargets = (all: readonly Done[]): ByTarget[] =>
  MEASURES.flatMap((measure) =>
    TARGETS.map((target) => ({ target, measure, apart: takenApart(all, measure, target) })),
  );
export const MEASURES: readonly Measure[] = ['sampled', 'off'];

export function shares(all: readonly Done[]): { tables: ReportTable[]; findings: Finding[]; byTarget: ByTarget[] } {
  const byTarget = allTargets(all);
  const at = (measure: Measure): TakenApart | undefined =>
    byTarget.find((own) => own.measure === measure && own.target === TARGET)?.apart;
  const [sampled, off] = MEASURES.map(at);
  const partOf = (apart: TakenApart, reason: Reason) => apart.parts.find((own) => own.reason === reason);
  const judged = judge(sampled?.parts.map(({ log }) => log) ?? []);
  const findings = ALL.map((reason): Finding => {
    const { claim } = CLAIMED[reason];
    const own = sampled && partOf(sampled, reason);
    if (!sampled || !own) return { claim, outcome: 'not tested', evidence: NEVER };
    const tested = judged[sampled.parts.indexOf(own)];
    const beside = off && partOf(off, reason);
    const without = off && beside ? `, and ${inWords(beside.share)} with the noise off (${withFactor(off.whole)})` : '';
    return {
      claim,
      outcome: outcomeOf(tested, 'higher'),
      evidence: `It explains ${inWords(own.share)} of the slow-down to ${TARGET} nats as sampled (${withFactor(sampled.whole)})${without}; ${own.log.count} seeds${inP(tested)}. ${inOrders(sampled, own)}`,
    };
  });
  const words = ({ apart }: ByTarget, of: (own: TakenApart) => string): string => (apart ? of(apart) : 'not measured');
  const head = ['', ...byTarget.map(({ target, measure }) => `to ${target} nats, ${WORDS[measure]}`)];
  const tables: ReportTable[] = [
    {
      title: 'Shares of the slow-down, the mean over orders of removal',
      head,
      rows: [
        [
          'bits, slower than the deterministic net',
          ...byTarget.map((own) => words(own, ({ whole }) => withFactor(whole))),
        ],
        ...ALL.map((reason) => [
          CLAIMED[reason].name,
          ...byTarget.map((own) => words(own, (apart) => inWords((partOf(apart, reason) as Part).share))),
        ]),
      ],
    },
    {
      title: 'The lowest and the highest share of single orders',
      head,
      rows: ALL.map((reason) => [
        CLAIMED[reason].name,
        ...byTarget.map((own) =>
          words(own, (apart) => {
            const [low, high] = (partOf(apart, reason) as Part).range;
            return low === high ? share(low) : `${share(low)} to ${share(high)}`;
          }),
        ),
      ]),
    },
  ];
  return { tables, findings, byTarget };
}

/** A reason's share of the slow-down, in percent, with its interval. */
export interface ShareOfSlowDown {
  readonly name: string;
  readonly share: number;
  readonly least: number;
  readonly most: number;
}

/** The shares to the first target, as sampled; those without an interval are left out. */
export function sharesOfSlowDown(all: readonly Done[]): ShareOfSlowDown[] {
  const apart = takenApart(all, 'sampled', TARGET);
  // + 0: a share that is rounded to nothing has no sign.
  const inPercent = (x: number): number => Math.round(100 * x) + 0;
  return ALL.flatMap((reason) => {
    const own = apart?.parts.find((part) => part.reason === reason)?.share;
    if (!own || !Number.isFinite(own.high - own.low)) return [];
    const [share, least, most] = [own.value, own.low, own.high].map(inPercent);
    return [{ name: CLAIMED[reason].name, share, least, most }];
  });
}

const inOrders = ({ orders: { measured, all } }: TakenApart, { reason, range: [low, high] }: Part): string =>
  reason === 'variance'
    ? 'It can be removed last alone: without noise there is nothing else to remove.'
    : `The mean of ${measured === all ? `all ${all}` : `${measured} of ${all}`} orders of removal, ${share(low)} to ${share(high)} in single ones.`;

/** The share with its interval; alone where the seeds leave open whether there is anything to share. */
export const inWords = ({ value, low, high }: Share): string =>
  Number.isFinite(high - low) ? `${share(value)} (${share(low)} to ${share(high)})` : share(value);
