import { atBudget, type Finding, type Outcome, type Report, type ReportTable } from './experiment.ts';
import { intervalChart } from './interval-chart.ts';
import { lineChart } from './line-chart.ts';
import { percent } from './records.ts';
import { type Interval, interval, near, paired, verdict, withHalf } from './statistics.ts';
import type { TableDone, TableResult } from './table-1.ts';
import { type Published, ROWS, type Row } from './table-1-rows.ts';

/** Targets of this repetition: percent of the test, with a threshold. */
const BEST_LIMIT = 1.6;
const STOCHASTIC_LIMIT = 2.3;
/** Points around a published error within which a repetition agrees: two standard errors on 10,000 images. */
const TOLERANCE = 0.25;

/** The row that the paper found best. */
const BEST = 'straight-through';

type Final = NonNullable<TableResult['final']>;

/** A number of a finished run, in percent where it is an error. */
interface Measure {
  readonly name: string;
  of(final: Final): number;
}

const TEST: Measure = { name: 'test, threshold', of: ({ test }) => 100 * test.threshold };
const VALID: Measure = { name: 'valid, threshold', of: ({ valid }) => 100 * valid.threshold };
const ERRORS: readonly Measure[] = [
  VALID,
  { name: 'valid, sampled', of: ({ valid }) => 100 * valid.sampled },
  TEST,
  { name: 'test, sampled', of: ({ test }) => 100 * test.sampled },
  { name: 'test, mean-field', of: ({ test }) => 100 * test.meanField },
];

const points = (x: number): string => x.toFixed(2);
const nats = (x: number): string => x.toPrecision(2);
const factor = (x: number): string => x.toFixed(x < 10 ? 1 : 0);

/** A row with its finished runs. */
interface Runs extends Row {
  readonly finals: readonly (Final & { readonly seed: number })[];
  readonly curves: readonly TableResult['curve'][];
}

function runsOf(finished: readonly TableDone[]): Runs[] {
  return ROWS.flatMap((row) => {
    const own = finished.filter(({ trial }) => trial.gater === row.gater && trial.stage === 'final');
    const finals = own.flatMap(({ trial, result: { final } }) => (final ? [{ ...final, seed: trial.seed }] : []));
    return finals.length === 0 ? [] : [{ ...row, finals, curves: own.map(({ result }) => result.curve) }];
  });
}

const level = ({ finals }: Runs, { of }: Measure): Interval => interval(finals.map(of));

/** a − b, seed by seed. */
function difference(a: Runs, b: Runs, { of }: Measure): Interval {
  const pairs = a.finals.flatMap((x) => b.finals.filter(({ seed }) => seed === x.seed).map((y) => [of(x), of(y)]));
  return paired(
    pairs.map(([x]) => x),
    pairs.map(([, y]) => y),
  );
}

/** Is a level under a limit? By its whole interval. */
function under({ mean, half }: Interval, limit: number): Outcome {
  if (mean + half <= limit) return 'holds';
  return mean - half > limit ? 'refuted' : 'not shown';
}

const OUTCOMES = { better: 'holds', worse: 'refuted', 'not shown': 'not shown' } as const;

/** The claim that a has a lower error than b. */
function lower(a: Runs, b: Runs, claim: string, measure: Measure): Finding {
  const own = difference(a, b, measure);
  const evidence = `${measure.name}: ${withHalf(own, points)} points against ${b.gater}, ${own.count} seeds.`;
  return { claim, outcome: OUTCOMES[verdict(own)], evidence };
}

/** How far a row's training is from the published one, where its curve is printed. */
function shortOf({ curves, published }: Runs): string | undefined {
  const epochs = Math.max(...curves.map(({ length }) => length));
  if (published?.epochs === undefined || epochs >= published.epochs) return undefined;
  return `${epochs} epochs of about ${published.epochs} that the published curve runs`;
}

/** What is claimed of absolute errors, which other data say nothing of. */
function levelFindings(rows: readonly Runs[], tested: boolean): Finding[] {
  const told = (row: Runs, claim: string, outcome: Outcome, own: Interval): Finding =>
    atBudget(
      {
        claim,
        outcome: tested ? outcome : 'not tested',
        evidence: `${TEST.name}: ${withHalf(own, points)}%, ${own.count} seeds${tested ? '' : ', of other data'}.`,
      },
      shortOf(row),
    );
  const trains = rows
    .filter(({ kind }) => kind === 'stochastic')
    .map((row) => {
      const own = level(row, TEST);
      return told(
        row,
        `${row.gater} trains: at most ${STOCHASTIC_LIMIT}% of the test wrong`,
        under(own, STOCHASTIC_LIMIT),
        own,
      );
    });
  const repeated = rows.flatMap((row) => {
    if (!row.published) return [];
    const own = level(row, TEST);
    const outcome = near(own, row.published.test, TOLERANCE);
    return [told(row, `${row.gater}: ${row.published.test}% of the test as published, ±${TOLERANCE}`, outcome, own)];
  });
  const first = rows.find(({ gater }) => gater === BEST);
  const own = first && level(first, TEST);
  const best = own
    ? [told(first, `straight-through: at most ${BEST_LIMIT}% of the test wrong`, under(own, BEST_LIMIT), own)]
    : [];
  return [...trains, ...best, ...repeated];
}

/** What is claimed of differences. */
function comparisons(rows: readonly Runs[], where: string): Finding[] {
  const named = (gater: string): Runs | undefined => rows.find((row) => row.gater === gater);
  const compare = (a: string, b: string, claim: string, measures: readonly Measure[]): Finding[] => {
    const [x, y] = [named(a), named(b)];
    return x && y
      ? measures.map((measure) => lower(x, y, `${claim} (${measure.name.split(',')[0]}${where})`, measure))
      : [];
  };
  const best = named(BEST);
  return [
    ...compare('noisy rectifier', 'baseline rectifier', 'Noise helps the rectifier', [VALID, TEST]),
    ...compare('baseline sigmoid + noise', 'baseline sigmoid', 'Noise helps the sigmoid', [VALID, TEST]),
    ...compare(BEST, 'straight-through, times σ′', 'Straight-through is better without the derivative', [VALID, TEST]),
    ...(best ? [bestOfAll(best, rows, where)] : []),
  ];
}

function bestOfAll(best: Runs, rows: readonly Runs[], where: string): Finding {
  const others = rows.filter(({ gater, published }) => gater !== best.gater && published);
  const verdicts = others.map((other) => ({ gater: other.gater, is: verdict(difference(best, other, TEST)) }));
  const list = (is: string): string =>
    verdicts
      .filter((own) => own.is === is)
      .map(({ gater }) => gater)
      .join(', ') || 'none';
  const outcome: Outcome = verdicts.some(({ is }) => is === 'worse')
    ? 'refuted'
    : verdicts.every(({ is }) => is === 'better')
      ? 'holds'
      : 'not shown';
  return {
    claim: `Straight-through is the best of the seven (test${where})`,
    outcome,
    evidence: `Better than: ${list('better')}. Worse than: ${list('worse')}. Not told apart from: ${list('not shown')}.`,
  };
}

/** The ranks that a row may have: those that shown differences leave. */
function rankingOf(rows: readonly Runs[]): ReportTable {
  const sorted = rows.toSorted((a, b) => level(a, TEST).mean - level(b, TEST).mean);
  return {
    title: 'Ranking by test error, threshold',
    head: ['gater', 'rank', 'may be', 'published rank', 'test, threshold'],
    rows: sorted.map((row, i) => {
      const against = rows.filter((other) => other !== row).map((other) => verdict(difference(row, other, TEST)));
      const first = 1 + against.filter((is) => is === 'worse').length;
      const last = rows.length - against.filter((is) => is === 'better').length;
      const published = ROWS.flatMap((other) => other.published?.test ?? []).toSorted((a, b) => a - b);
      const rank = row.published ? `${published.indexOf(row.published.test) + 1} of ${published.length}` : '';
      return [row.gater, String(i + 1), `${first} to ${last}`, rank, withHalf(level(row, TEST), points)];
    }),
  };
}

function levelsOf(rows: readonly Runs[], besidePublished: boolean): ReportTable {
  const share = (x: number): string => (100 * x).toFixed(1);
  const work = (x: number): string => (x / 1e6).toFixed(2);
  const own = ({ finals }: Runs, of: (final: Final) => number): Interval => interval(finals.map(of));
  const mean = (row: Runs, of: (final: Final) => number): number => own(row, of).mean;
  return {
    title: `Errors in percent, means over seeds with 95% intervals${besidePublished ? ', published figures in brackets' : ''}`,
    head: [
      'gater',
      'seeds',
      'criterion, sampled',
      'criterion, threshold',
      ...ERRORS.map(({ name }) => name),
      'open, %',
      'multiply-adds, millions: training',
      'test',
      'all open',
    ],
    rows: rows.map((row) => {
      const { train, valid, test }: Partial<Published> = (besidePublished && row.published) || {};
      const published = new Map([
        [VALID.name, valid],
        [TEST.name, test],
      ]);
      const inBrackets = (figure: number | undefined): string => (figure === undefined ? '' : ` (${figure})`);
      return [
        row.gater,
        String(row.finals.length),
        withHalf(
          own(row, ({ criterion }) => criterion.sampled),
          nats,
        ),
        `${withHalf(
          own(row, ({ criterion }) => criterion.threshold),
          nats,
        )}${inBrackets(train)}`,
        ...ERRORS.map(
          (measure) => `${withHalf(level(row, measure), points)}${inBrackets(published.get(measure.name))}`,
        ),
        share(mean(row, ({ open }) => open)),
        work(mean(row, ({ multiplyAdds }) => multiplyAdds.training)),
        work(mean(row, ({ multiplyAdds }) => multiplyAdds.test)),
        work(mean(row, ({ multiplyAdds }) => multiplyAdds.all)),
      ];
    }),
  };
}

function differencesOf(rows: readonly Runs[]): ReportTable {
  const baselines = rows.filter(({ kind }) => kind === 'baseline');
  const cell = (row: Runs, baseline: Runs, measure: Measure): string => {
    if (row === baseline) return '';
    const own = difference(row, baseline, measure);
    return `${withHalf(own, points)}: ${verdict(own)}`;
  };
  return {
    title: 'Against the baselines, points of error, paired by seed',
    head: ['gater', ...baselines.flatMap(({ gater }) => [VALID, TEST].map(({ name }) => `${name}, − ${gater}`))],
    rows: rows.map((row) => [
      row.gater,
      ...baselines.flatMap((baseline) => [VALID, TEST].map((measure) => cell(row, baseline, measure))),
    ]),
  };
}

function searchesOf(finished: readonly TableDone[]): ReportTable {
  const searches = finished.filter(({ trial }) => trial.stage === 'search');
  return {
    title: 'The search, on validation alone',
    head: ['gater', 'setting', 'valid, threshold, %', 'valid, nats', 'open at the end, %', 'chosen'],
    rows: searches.map(({ trial, result: { setting, validError, validLoss, curve } }) => {
      const chosen = finished.some(
        ({ trial: other, result }) =>
          other.gater === trial.gater &&
          other.stage === 'final' &&
          JSON.stringify(result.setting) === JSON.stringify(setting),
      );
      const words = Object.entries(setting).map(([name, value]) => `${name} ${value}`);
      const open = percent(curve.at(-1)?.open ?? Number.NaN);
      return [trial.gater, words.join(', '), percent(validError), nats(validLoss), open, chosen ? 'yes' : ''];
    }),
  };
}

/** Means over seeds with their intervals, epoch by epoch. */
function curveOf({ gater, curves }: Runs) {
  const epochs = Math.min(...curves.map(({ length }) => length));
  const line = Array.from({ length: epochs }, (_, i) => {
    const { mean, half } = interval(curves.map((curve) => 100 * curve[i].validError));
    const band = Number.isNaN(half) ? 0 : half;
    return { x: i + 1, y: mean, low: Math.max(0, mean - band), high: mean + band };
  });
  return { name: gater, points: line };
}

/** Pairs of rows that the test tells apart, of all pairs. */
function apart(rows: readonly Runs[]): { readonly told: number; readonly pairs: number } {
  const verdicts = rows.flatMap((row, i) => rows.slice(i + 1).map((other) => verdict(difference(row, other, TEST))));
  return { told: verdicts.filter((is) => is !== 'not shown').length, pairs: verdicts.length };
}

/** What a reader takes home, from means and verdicts alone. */
function learntOf(rows: readonly Runs[], onMnist: boolean): string[] {
  const sorted = rows.toSorted((a, b) => level(a, TEST).mean - level(b, TEST).mean);
  const [first, last] = [sorted[0], sorted[sorted.length - 1]];
  const told = (row: Runs): string => `${row.gater} (${withHalf(level(row, TEST), points)}%)`;
  const levels = `Test errors lie between those of ${told(first)} and ${told(last)}, gates cut at a threshold${onMnist ? '' : '; digits that the library writes, not MNIST'}.`;
  const { told: pairsTold, pairs } = apart(rows);
  const equal = sorted.slice(1).filter((row) => verdict(difference(first, row, TEST)) === 'not shown');
  const ranks = `Of ${pairs} pairs of gaters, the test tells ${pairsTold} apart; the first of the ranking is ${
    equal.length === 0
      ? 'told apart from all others'
      : `not told apart from ${equal.map(({ gater }) => gater).join(', ')}`
  }.`;
  const drawn = rows.filter(({ kind }) => kind === 'stochastic');
  const cuts = drawn.map((row) => {
    const { mean, half } = interval(row.finals.map(({ test }) => 100 * (test.threshold - test.sampled)));
    return { row, mean, is: verdict({ mean, half, count: row.finals.length }) };
  });
  const means = cuts.map(({ mean }) => mean);
  const of = (is: string): number => cuts.filter((cut) => cut.is === is).length;
  const threshold = `Cutting gates at a threshold in the place of sampling them changes test errors by ${points(Math.min(...means))} to ${points(Math.max(...means))} points: fewer errors in ${of('better')} of ${cuts.length} stochastic rows, more in ${of('worse')}, not shown in ${of('not shown')}.`;
  const gated = rows.filter(({ width }) => width === 1);
  const factors = gated.map((row) => interval(row.finals.map(({ multiplyAdds: { all, test } }) => all / test)).mean);
  const work = `With one gate a unit, as in 2013, the wide nets execute ${Math.min(...factors).toFixed(1)} to ${Math.max(...factors).toFixed(1)} times fewer multiply-adds at test than with all experts computed: the gater remains. Blocks are what saves more (conditional-speed).`;
  const fits = onMnist
    ? rows.flatMap(({ finals, published }) =>
        published ? [interval(finals.map(({ criterion }) => criterion.threshold)).mean / published.train] : [],
      )
    : [];
  const fit = `Training criteria, with a threshold, are ${factor(Math.min(...fits))} to ${factor(Math.max(...fits))} times those published: as far as errors are higher, shorter training may be why.`;
  return [
    levels,
    ranks,
    ...(fits.length > 0 ? [fit] : []),
    ...(cuts.length > 0 ? [threshold] : []),
    ...(gated.length > 0 ? [work] : []),
  ];
}

/** What the finished trials say, in tables, findings and pictures. */
export function reportTable1(finished: readonly TableDone[]): Report {
  const rows = runsOf(finished);
  const searches = searchesOf(finished);
  if (rows.length === 0) return { findings: [], learnt: [], tables: [searches], charts: [] };
  const onMnist = finished.every(({ trial }) => trial.data === 'mnist');
  const epochs = Math.max(...rows.flatMap(({ curves }) => curves.map(({ length }) => length)));
  // The first epochs, with their wide bands, leave the picture at the top.
  const levels = onMnist ? [1, 2, 3, 4, 5] : [0, 5, 10, 15, 20];
  const measured = rows.map((row) => ({
    name: row.gater,
    measured: level(row, TEST),
    ...(onMnist && row.published && { published: row.published.test }),
  }));
  return {
    findings: [...levelFindings(rows, onMnist), ...comparisons(rows, onMnist ? '' : ' of written digits, not MNIST')],
    learnt: learntOf(rows, onMnist),
    tables: [levelsOf(rows, onMnist), differencesOf(rows), rankingOf(rows), searches],
    charts: [
      intervalChart({
        title: 'Test error with a threshold',
        xLabel: 'errors on the test, %',
        rows: measured,
        ticks: onMnist ? [1, 1.5, 2, 2.5, 3] : [0, 5, 10, 15],
      }),
      lineChart({
        title: 'Validation error with a threshold',
        xLabel: 'epoch',
        yLabel: 'errors on validation, %, mean and 95% interval over seeds',
        series: rows.map(curveOf),
        xTicks: [1, Math.ceil(epochs / 2), epochs],
        yTicks: levels,
        least: levels[0],
        most: levels[levels.length - 1],
      }),
    ],
  };
}
