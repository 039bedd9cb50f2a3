import { ratioChart } from '../../charts/interval-chart.ts';
import { bestRate } from '../kit/best-rate.ts';
import type { Answer, Finding, Report, ReportTable } from '../kit/experiment.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { percent } from '../kit/records.ts';
import { RowsModel } from '../kit/rows-model.ts';
import {
  type Compared,
  inP,
  interval,
  type Judged,
  judge,
  mean,
  tally,
  withFactor,
  withHalf,
} from '../kit/statistics.ts';
import type { ArmName, UnbiasedDone } from './trial.ts';

/** The arms that records have, the smooth one first. */
const armsOf = (own: readonly UnbiasedDone[]): ArmName[] => [...new Set(own.map(({ trial }) => trial.arm))];

/** A size whose arms have all run, each at its best rate. */
interface Size {
  readonly where: string;
  readonly runs: ReadonlyMap<ArmName, readonly UnbiasedDone[]>;
  /** Of logarithms of test errors. */
  readonly model: RowsModel;
}

function sizesOf(finished: readonly UnbiasedDone[]): Size[] {
  const groups = Map.groupBy(finished, ({ trial }) => trial.widths.join('-'));
  return [...groups].flatMap(([widths, own]): Size[] => {
    const arms = armsOf(own);
    const runs = new Map(arms.map((arm) => [arm, bestRateOf(own, arm)] as const));
    const counts = new Set([...runs.values()].map(({ length }) => length));
    if (counts.size !== 1 || !['smooth', 'bits', 'bits, unbiased'].every((arm) => runs.has(arm as ArmName))) return [];
    const logs = [...runs].map(([arm, all]) => [arm, all.map(({ result }) => Math.log(result.testError))] as const);
    const where = widths.includes('-') ? `two layers of ${widths.split('-')[0]} units` : `${widths} units`;
    return [{ where, runs, model: new RowsModel(new Map<string, readonly number[]>(logs)) }];
  });
}

const bestRateOf = (own: readonly UnbiasedDone[], arm: ArmName): UnbiasedDone[] =>
  bestRate(
    own.filter(({ trial }) => trial.arm === arm),
    ({ result }) => result.validError,
  );

/** Hypotheses written down before. “Does not err less” cannot be shown by a test; `higher` is tested in its place. */
export const HYPOTHESES: readonly { arm: ArmName; other: ArmName; claimed: 'lower' | 'higher'; claim: string }[] = [
  {
    arm: 'bits, unbiased',
    other: 'smooth',
    claimed: 'lower',
    claim: 'Bits with an unbiased gradient err less than smooth units',
  },
  {
    arm: 'bits',
    other: 'smooth',
    claimed: 'higher',
    claim: 'Bits as they are usually trained do not err less than smooth units',
  },
  {
    arm: 'bits, unbiased',
    other: 'bits',
    claimed: 'lower',
    claim: 'Bits err less with an unbiased gradient than as they are usually trained',
  },
  {
    arm: 'curvature penalty',
    other: 'smooth',
    claimed: 'lower',
    claim: 'The curvature penalty alone lowers the errors of smooth units',
  },
];

/** The mean over sizes of the logarithm of a ratio, seed by seed. */
function together(sizes: readonly Size[], arm: ArmName, other: ArmName): Compared {
  const arms = [arm, other];
  const logs = (one: ArmName): number[] => {
    const all = sizes.map(({ runs }) => (runs.get(one) ?? []).map(({ result }) => Math.log(result.testError)));
    return all[0].map((_, seed) => mean(all.map((own) => own[seed])));
  };
  return new RowsModel(new Map(arms.map((one) => [one, logs(one)]))).difference(arm, other);
}

function findingsOf(sizes: readonly Size[]): Finding[] {
  return HYPOTHESES.flatMap(({ arm, other, claimed, claim }) => {
    const own = sizes.filter(({ runs }) => runs.has(arm));
    if (own.length === 0) return [];
    const [all] = judge([together(own, arm, other)]);
    const each = judge(own.map(({ model }) => model.difference(arm, other)));
    const told = (found: Judged, where: string): Finding => ({
      claim: `${claim} (${where})`,
      outcome: outcomeOf(found, claimed),
      evidence: `Test error, noise off: ${withFactor(found)} that of ${other}, ${found.count} seeds${inP(found)}.`,
    });
    return [
      ...(own.length > 1 ? [told(all, `${own.length} sizes together`)] : []),
      ...own.map(({ where }, i) => told(each[i], where)),
    ];
  });
}

function answerOf(sizes: readonly Size[]): Answer | undefined {
  if (sizes.length === 0 || sizes.some(({ model }) => model.seeds < 2)) return undefined;
  const against = (arm: ArmName, other: ArmName) => judge(sizes.map(({ model }) => model.difference(arm, other)));
  const [unbiased, bits, both] = [
    against('bits, unbiased', 'smooth'),
    against('bits', 'smooth'),
    against('bits, unbiased', 'bits'),
  ];
  const inMean = (own: readonly Judged[]): string =>
    withFactor({ ...own[0], mean: mean(own.map((x) => x.mean)), half: Number.NaN });
  const at = (own: readonly Judged[], is: Judged['verdict']): string => {
    const found = own.flatMap((one, i) => (one.verdict === is ? [`${sizes[i].where}, ${withFactor(one)}`] : []));
    return found.length === 0 ? 'none' : `${found.length} (${found.join('; ')})`;
  };
  const errs = (own: readonly Judged[]): string =>
    `less in ${at(own, 'better')} and more in ${at(own, 'worse')}, ${inMean(own)} in the mean`;
  return {
    verdict: `Of ${sizes.length} size${sizes.length === 1 ? '' : 's'}, random bits with an unbiased gradient err on new data, against smooth units, ${errs(unbiased)}; as they are usually trained, ${errs(bits)}. The unbiased gradient is the better one in ${tally(both).better}, the worse one in ${tally(both).worse}.`,
    change:
      'More examples, at which there is less to regularise; wider nets, for which flipping every unit costs too much; and rates between the three that are tried.',
  };
}

const tableOf = ({ where, runs, model }: Size): ReportTable => ({
  title: `${where}: errors in percent, noise off`,
  head: ['hidden units', 'seeds', 'rate', 'valid', 'test', 'test over smooth', 'best epoch'],
  rows: [...runs].map(([arm, own]) => {
    const over = (of: (run: UnbiasedDone) => number): string => withHalf(interval(own.map(of)), percent);
    return [
      arm,
      String(own.length),
      String(own[0].trial.rate),
      over(({ result }) => result.validError),
      over(({ result }) => result.testError),
      arm === 'smooth' ? '' : withFactor(model.difference(arm, 'smooth')),
      mean(own.map(({ result }) => result.bestEpoch)).toFixed(0),
    ];
  }),
});

/** What the finished trials say, size by size and in all. */
export function reportUnbiasedRegulariser(finished: readonly UnbiasedDone[]): Report {
  const sizes = sizesOf(finished);
  const answer = answerOf(sizes);
  const rows = sizes.flatMap(({ where, runs, model }) =>
    [...runs.keys()]
      .filter((arm) => arm !== 'smooth')
      .map((arm) => ({ name: `${where}: ${arm}`, measured: model.difference(arm, 'smooth') })),
  );
  return {
    ...(answer && { answer }),
    findings: findingsOf(sizes),
    learnt: [],
    tables: sizes.map(tableOf),
    charts:
      rows.length > 0
        ? [
            ratioChart({
              title: 'Test error over that of smooth units',
              xLabel: 'times the errors of smooth units, noise off (left of the line: fewer)',
              rows,
            }),
          ]
        : [],
  };
}
