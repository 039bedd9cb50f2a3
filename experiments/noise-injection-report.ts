import type { Finding, Finished, Outcome, Report, ReportTable } from './experiment.ts';
import { lineChart } from './line-chart.ts';
import { logBand } from './log-band.ts';
import type { InjectionResult, InjectionTrial } from './noise-injection.ts';
import { percent } from './records.ts';
import { type Interval, interval, paired, withHalf } from './statistics.ts';

type Done = Finished<InjectionTrial, InjectionResult>;

/** The level that is asked about in advance: the deviation that the paper's experiments used. */
const ASKED = 1;
/** Bengio, Léonard, Courville 2013, Table 1, of the gates: criterion in nats, errors as shares. */
const PUBLISHED: Readonly<Record<string, readonly number[]>> = {
  none: [3.2e-3, 0.0197, 0.0192],
  additive: [1.8e-3, 0.0188, 0.0187],
};

interface Measure {
  readonly name: string;
  of(done: Done): number;
  show(value: number): string;
}
const last = ({ result }: Done): InjectionResult['curve'][number] => result.curve[result.curve.length - 1];
const nats = (x: number): string => x.toPrecision(3);
const CRITERION: Measure = { name: 'training criterion, noise off, nats', of: (done) => last(done).off, show: nats };
const VALID: Measure = { name: 'validation error, %', of: ({ result }) => result.validError, show: percent };
const TEST: Measure = { name: 'test error, noise off, %', of: ({ result }) => result.test.off, show: percent };
const MEASURES: readonly Measure[] = [
  CRITERION,
  { name: 'as sampled, nats', of: (done) => last(done).sampled, show: nats },
  VALID,
  TEST,
];

const levelOf = ({ trial }: Done): string => (trial.noise === 'none' ? 'none' : `${trial.noise}, s = ${trial.scale}`);
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** The runs of every level at the learning rate with the best mean criterion, by seed. */
function byLevel(own: readonly Done[]): Map<string, Done[]> {
  return new Map(
    [...Map.groupBy(own, levelOf)].map(([level, runs]) => {
      const rates = [...Map.groupBy(runs, ({ trial }) => trial.rate).values()];
      const [best] = rates.toSorted((a, b) => mean(a.map(CRITERION.of)) - mean(b.map(CRITERION.of)));
      return [level, best.toSorted((a, b) => a.trial.seed - b.trial.seed)];
    }),
  );
}

function against(levels: ReadonlyMap<string, Done[]>, level: string, { of }: Measure): Interval {
  const [a, b] = [level, 'none'].map((name) => (levels.get(name) ?? []).map(of));
  return paired(a, b);
}

function verdict({ mean: middle, half }: Interval): Outcome {
  if (middle + half < 0) return 'holds';
  return middle - half > 0 ? 'refuted' : 'not shown';
}

function findingsOf(levels: ReadonlyMap<string, Done[]>, where: string): Finding[] {
  return (['additive', 'multiplicative'] as const).flatMap((noise) => {
    const asked = `${noise}, s = ${ASKED}`;
    if (!levels.has(asked)) return [];
    const others = [...levels.keys()].filter((level) => level.startsWith(noise) && level !== asked);
    return ([CRITERION, TEST] as const).map((measure): Finding => {
      const difference = against(levels, asked, measure);
      const rest = others.map((level) => `${level}: ${withHalf(against(levels, level, measure), measure.show)}`);
      const what = measure === CRITERION ? 'the training criterion itself' : 'the test error';
      return {
        claim: `${noise === 'additive' ? 'Additive' : 'Multiplicative'} noise makes ${what} better (${where})`,
        outcome: verdict(difference),
        evidence: `${measure.name}, against none: ${withHalf(difference, measure.show)} with s = ${ASKED}, ${difference.count} seeds.${rest.length > 0 ? ` ${rest.join('; ')}.` : ''}`,
      };
    });
  });
}

function tableOf(levels: ReadonlyMap<string, Done[]>, where: string): ReportTable {
  const [{ trial }] = [...levels.values()][0];
  const rows = [...levels].map(([level, runs]) => [
    level,
    `${runs[0].trial.rate}`,
    ...MEASURES.flatMap((measure) => [
      withHalf(interval(runs.map(measure.of)), measure.show),
      level === 'none' ? '' : withHalf(against(levels, level, measure), measure.show),
    ]),
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
  return { title: where, head, rows: trial.net === 'gates' ? [...rows, ...published] : rows };
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
    const by = (wanted: Outcome): string =>
      noisy.filter((level) => verdict(against(levels, level, measure)) === wanted).join('; ') || 'no level';
    return `${measure === CRITERION ? 'the training criterion' : 'the test error'} is better than without noise for: ${by('holds')}; worse for: ${by('refuted')}`;
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
  return {
    findings: parts.flatMap(({ where, levels }) => findingsOf(levels, where)),
    learnt: parts.flatMap(({ where, levels, rates }) => learntOf(levels, where, rates)),
    tables: parts.map(({ where, levels }) => tableOf(levels, where)),
    charts: parts.map(({ where, levels }) => curvesOf(levels, where)),
  };
}
