import { ratioChart } from '../../charts/interval-chart.ts';
import { lineChart } from '../../charts/line-chart.ts';
import { bestRate } from '../kit/best-rate.ts';
import type { Answer, Finding, Finished, Report, ReportTable } from '../kit/experiment.ts';
import { logBand } from '../kit/log-band.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { percent } from '../kit/records.ts';
import {
  briefP,
  geometric,
  inP,
  interval,
  type Judged,
  judge,
  paired,
  pairedRatio,
  tally,
  withFactor,
  withHalf,
} from '../kit/statistics.ts';
import type { InjectionResult, InjectionTrial } from './trial.ts';

type Done = Finished<InjectionTrial, InjectionResult>;

/** Bengio, Léonard, Courville 2013, Table 1, of the gates: criterion in nats, errors as shares. */
const PUBLISHED: Readonly<Record<string, readonly number[]>> = {
  none: [3.2e-3, 0.0197, 0.0192],
  additive: [1.8e-3, 0.0188, 0.0187],
};

interface Measure {
  readonly name: string;
  of(done: Done): number;
  show(value: number): string;
  /** Compared by ratios, as geometric means. */
  readonly byRatio?: true;
}
const last = ({ result }: Done): InjectionResult['curve'][number] => result.curve[result.curve.length - 1];
const nats = (x: number): string => x.toPrecision(3);
const CRITERION: Measure = {
  name: 'training criterion, noise off, nats',
  of: (done) => last(done).off,
  show: nats,
  byRatio: true,
};
const VALID: Measure = { name: 'validation error, %', of: ({ result }) => result.validError, show: percent };
const TEST: Measure = { name: 'test error, noise off, %', of: ({ result }) => result.test.off, show: percent };
const MEASURES: readonly Measure[] = [
  CRITERION,
  { name: 'as sampled, nats', of: (done) => last(done).sampled, show: nats, byRatio: true },
  VALID,
  TEST,
];

const nameOf = ({ trial }: Done): string => (trial.noise === 'none' ? 'none' : `${trial.noise}, s = ${trial.scale}`);

/** The runs of every level at the learning rate with the best mean criterion, by seed. */
const byLevel = (own: readonly Done[]): Map<string, Done[]> =>
  new Map([...Map.groupBy(own, nameOf)].map(([level, runs]) => [level, bestRate(runs, CRITERION.of)]));

/**
 * Every level against none: one family, corrected together. Pairs of runs, each by its own variance: the deviations of differences lie
 * orders of magnitude apart, as little noise changes little.
 */
function against(levels: ReadonlyMap<string, Done[]>, { of, byRatio }: Measure): Map<string, Judged> {
  const none = (levels.get('none') ?? []).map(of);
  const noisy = [...levels.keys()].filter((level) => level !== 'none');
  const judged = judge(
    noisy.map((level) => (byRatio ? pairedRatio : paired)((levels.get(level) as Done[]).map(of), none)),
  );
  return new Map(noisy.map((level, i) => [level, judged[i]]));
}

const levelOf = (runs: readonly Done[], { of, byRatio, show }: Measure): string =>
  byRatio ? geometric(interval(runs.map((run) => Math.log(of(run)))), show) : withHalf(interval(runs.map(of)), show);
const inSize = (own: Judged, { byRatio, show }: Measure): string => (byRatio ? withFactor(own) : withHalf(own, show));

/** Every level is a claim: one that is asked about in advance must not hide what another does. */
function findingsOf(levels: ReadonlyMap<string, Done[]>, where: string): Finding[] {
  if (!levels.has('none')) return [];
  return ([CRITERION, TEST] as const).flatMap((measure) =>
    [...against(levels, measure)].map(([level, own]): Finding => {
      const what = measure === CRITERION ? 'the training criterion itself' : 'the test error';
      return {
        claim: `Noise makes ${what} better (${level}; ${where})`,
        outcome: outcomeOf(own, 'lower'),
        evidence: `${measure.name}, against none: ${inSize(own, measure)}, ${own.count} seeds${inP(own)}.`,
      };
    }),
  );
}

function tableOf(levels: ReadonlyMap<string, Done[]>, where: string): ReportTable {
  const [{ trial }] = [...levels.values()][0];
  const compared = MEASURES.map((measure) => ({ measure, found: against(levels, measure) }));
  const rows = [...levels].map(([level, runs]) => [
    level,
    `${runs[0].trial.rate}`,
    ...compared.flatMap(({ measure, found }) => {
      const own = found.get(level);
      return [levelOf(runs, measure), own ? `${inSize(own, measure)}${briefP(own)}` : ''];
    }),
  ]);
  const blank = (count: number): string[] => Array.from({ length: count }, () => '');
  const published = Object.entries(PUBLISHED).map(([noise, [criterion, valid, test]]) => [
    `published, 2013: ${noise}`,
    '0.1',
    nats(criterion),
    ...blank(3),
    percent(valid),
    '',
    percent(test),
    '',
  ]);
  const head = ['noise', 'learning rate', ...MEASURES.flatMap(({ name }) => [name, 'against none'])];
  return {
    title: `${where}; p corrected by Holm over the levels of a column`,
    head,
    rows: trial.net === 'gates' ? [...rows, ...published] : rows,
  };
}

function curvesOf(levels: ReadonlyMap<string, Done[]>, where: string): string {
  const series = [...levels].map(([name, runs]) => ({
    name,
    points: runs[0].result.curve.map(({ epoch }, i) =>
      logBand(
        epoch,
        runs.map(({ result }) => result.curve[i].off),
      ),
    ),
  }));
  const epochs = series[0].points.map(({ x }) => x);
  return lineChart({
    title: `Training criterion, noise off (${where})`,
    xLabel: 'epoch',
    yLabel: 'nats, geometric mean and 95% interval over seeds; each level at its best learning rate',
    series,
    log: { y: true },
    least: 1e-4,
    xTicks: [epochs[0], epochs[epochs.length - 1]],
    yTicks: [0.001, 0.01, 0.1, 1],
  });
}

/** What a reader takes home of one net: levels that are better or worse than none, by the criterion and by the test. */
function learntOf(levels: ReadonlyMap<string, Done[]>, where: string, rates: readonly number[]): string[] {
  const noisy = [...levels.keys()].filter((level) => level !== 'none');
  if (!levels.has('none') || noisy.length === 0) return [];
  const told = ([CRITERION, TEST] as const).map((measure) => {
    const by = (wanted: Judged['verdict']): string =>
      [...against(levels, measure)]
        .filter(([, own]) => own.verdict === wanted)
        .map(([level, own]) => `${level} (${inSize(own, measure)})`)
        .join('; ') || 'no level';
    return `${measure === CRITERION ? 'the training criterion' : 'the test error'} is better than without noise for: ${by('better')}; worse for: ${by('worse')}`;
  });
  const highest = Math.max(...rates);
  const atTheEdge = [...levels].flatMap(([level, runs]) =>
    runs[0].trial.rate === highest ? [level === 'none' ? 'no noise' : level] : [],
  );
  const edge =
    rates.length > 1 && atTheEdge.length > 0
      ? ` Best at ${highest}, the highest learning rate that was tried, so that a higher one might be better: ${atTheEdge.join('; ')}.`
      : '';
  return [
    `In ${where}, of ${noisy.length} levels of noise, each at its best learning rate: ${told.join('. And ')}. The others are not told apart from no noise.${edge}`,
  ];
}

interface Part {
  readonly where: string;
  readonly levels: ReadonlyMap<string, Done[]>;
  readonly rates: readonly number[];
}

/** Does noise help the fit, and does it help on new data? */
function answerOf(parts: readonly Part[]): Answer | undefined {
  const compared = (measure: Measure) =>
    parts.flatMap(({ where, levels }) =>
      levels.has('none') ? [...against(levels, measure)].map(([level, own]) => ({ where, level, own })) : [],
    );
  const [fit, test] = [CRITERION, TEST].map(compared);
  if (fit.length === 0 || fit.some(({ own }) => Number.isNaN(own.p))) return undefined;
  const [fits, tests] = [fit, test].map((all) => tally(all.map(({ own }) => own)));
  const best = fit
    .filter(({ own }) => own.verdict === 'better')
    .map(({ level, where, own }) => `${level} in ${where.split(',')[0]}, ${withFactor(own)} the criterion`);
  const helped = best.length > 0 ? ` (${best.join('; ')})` : '';
  const edge = parts.filter(({ levels, rates }) => {
    const [none] = levels.get('none') ?? [];
    return rates.length > 1 && none?.trial.rate === Math.max(...rates);
  });
  const where = edge.map((part) => part.where.split(',')[0]).join(' and ');
  return {
    verdict: `Of ${fit.length} levels of noise, each against none at its own best rate, ${fits.better} made the net fit its training data better${helped}, ${fits.worse} made it fit worse, and on new data ${tests.better} erred less and ${tests.worse} more.`,
    change: `${edge.length > 0 ? `Higher learning rates in ${where}, where the highest of the grid was best; ` : ''}max-norm and falling rates as in 2013; more seeds, since errors of a tenth of a point are not seen with ${fit[0].own.count}.`,
  };
}

/** The criterion of every level over that of no noise. */
const ratiosOf = (parts: readonly Part[]): string[] => {
  const rows = parts.flatMap(({ where, levels }) =>
    levels.has('none')
      ? [...against(levels, CRITERION)].map(([level, own]) => ({
          name: `${where.split(',')[0]}: ${level}`,
          measured: own,
        }))
      : [],
  );
  return rows.length > 0
    ? [
        ratioChart({
          title: 'Training criterion with noise over that without',
          xLabel: 'times the criterion without noise, noise off (left of the line: a better fit)',
          rows,
        }),
      ]
    : [];
};

/** What the records say, net by net. */
export function renderNoiseInjection(all: readonly Done[]): Report {
  const groups = Map.groupBy(
    all,
    ({ trial }) =>
      `${trial.net === 'hidden' ? 'hidden units' : 'gates'}, ${trial.units} units, ${trial.examples} examples`,
  );
  const parts = [...groups].map(([where, own]) => ({
    where,
    levels: byLevel(own),
    rates: [...new Set(own.map(({ trial }) => trial.rate))],
  }));
  const answer = answerOf(parts);
  return {
    ...(answer && { answer }),
    findings: parts.flatMap(({ where, levels }) => findingsOf(levels, where)),
    learnt: parts.flatMap(({ where, levels, rates }) => learntOf(levels, where, rates)),
    tables: parts.map(({ where, levels }) => tableOf(levels, where)),
    charts: [...ratiosOf(parts), ...parts.map(({ where, levels }) => curvesOf(levels, where))],
  };
}
