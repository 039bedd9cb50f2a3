import { intervalChart } from '../../charts/interval-chart.ts';
import { lineChart } from '../../charts/line-chart.ts';
import { type Answer, atBudget, type Finding, type Outcome, type Report, type ReportTable } from '../kit/experiment.ts';
import { endsOf, isWithin, outcomeOf } from '../kit/outcome.ts';
import { percent } from '../kit/records.ts';
import { RowsModel } from '../kit/rows-model.ts';
import {
  agrees,
  geometric,
  type Interval,
  inP,
  interval,
  judge,
  verdict,
  withFactor,
  withHalf,
} from '../kit/statistics.ts';
import { type Published, ROWS, type Row } from './rows.ts';
import type { TableDone, TableResult } from './trial.ts';

/** Targets of this repetition: percent of the test, with a threshold. */
const BEST_LIMIT = 1.5;
const STOCHASTIC_LIMIT = 2;
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

/** The model of all rows together, of the seeds that all of them have. */
function modelOf(rows: readonly Runs[], { of }: Measure): RowsModel {
  const seeds = rows[0].finals.map(({ seed }) => seed).filter((seed) => rows.every((row) => finalOf(row, seed)));
  return new RowsModel(
    new Map(rows.map((row) => [row.gater, seeds.map((seed) => of(finalOf(row, seed) as Final))] as const)),
  );
}

const finalOf = ({ finals }: Runs, wanted: number): Final | undefined => finals.find(({ seed }) => seed === wanted);

/** How far a row's training is from the published one, where its curve is printed. */
function shortOf({ curves, published }: Runs): string | undefined {
  const epochs = Math.max(...curves.map(({ length }) => length));
  if (published?.epochs === undefined || epochs >= published.epochs) return undefined;
  return `${epochs} epochs of about ${published.epochs} that the published curve runs`;
}

/** What is claimed of absolute errors, which other data say nothing of. */
function levelFindings(rows: readonly Runs[], tested: boolean): Finding[] {
  const model = modelOf(rows, TEST);
  const level = ({ gater }: Runs): Interval => model.level(gater);
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
      const own = level(row);
      return told(
        row,
        `${row.gater} trains: at most ${STOCHASTIC_LIMIT}% of the test wrong`,
        isWithin(endsOf(own), STOCHASTIC_LIMIT),
        own,
      );
    });
  const repeated = rows.flatMap((row) => {
    if (!row.published) return [];
    const single = model.single(row.gater);
    const outcome = agrees(single, row.published.test, TOLERANCE);
    const found = told(
      row,
      `${row.gater}: ${row.published.test}% of the test as published, ±${TOLERANCE}`,
      outcome,
      level(row),
    );
    const wide = single.half > TOLERANCE ? ', which is wider than the tolerance' : '';
    const reach = Number.isNaN(single.half)
      ? ''
      : ` One more run of ours would lie between ${points(single.mean - single.half)} and ${points(single.mean + single.half)}%, 95 times in 100${wide}.`;
    return [{ ...found, evidence: `${found.evidence}${reach}` }];
  });
  const first = rows.find(({ gater }) => gater === BEST);
  const own = first && level(first);
  const best = own
    ? [
        told(
          first,
          `straight-through: at most ${BEST_LIMIT}% of the test wrong`,
          isWithin(endsOf(own), BEST_LIMIT),
          own,
        ),
      ]
    : [];
  return [...trains, ...best, ...repeated];
}

/** The criterion on a logarithmic scale: rows differ by factors in it, and so do their deviations. */
const CRITERION: Measure = { name: 'training criterion, sampled', of: ({ criterion }) => Math.log(criterion.sampled) };

/** Comparisons that the paper makes: of two rows, where the first is said to be lower. */
const ASKED: readonly {
  readonly a: string;
  readonly b: string;
  readonly claim: string;
  readonly measures: readonly Measure[];
}[] = [
  {
    a: 'noisy rectifier',
    b: 'baseline rectifier',
    claim: 'Noise helps the rectifier',
    measures: [CRITERION, VALID, TEST],
  },
  {
    a: 'baseline sigmoid + noise',
    b: 'baseline sigmoid',
    claim: 'Noise helps the sigmoid',
    measures: [CRITERION, VALID, TEST],
  },
  {
    a: BEST,
    b: 'straight-through, times σ′',
    claim: 'Straight-through is better without the derivative',
    measures: [VALID, TEST],
  },
];

/** What is claimed of differences: one family, corrected together. */
function comparisons(rows: readonly Runs[], where: string): Finding[] {
  const has = (gater: string): boolean => rows.some((row) => row.gater === gater);
  const asked = ASKED.filter(({ a, b }) => has(a) && has(b)).flatMap(({ measures, ...own }) =>
    measures.map((measure) => ({ ...own, measure, found: modelOf(rows, measure).difference(own.a, own.b) })),
  );
  const judged = judge(asked.map(({ found }) => found));
  const findings = asked.map(({ b, claim, measure }, i): Finding => {
    const own = judged[i];
    const what = measure === CRITERION ? 'training criterion' : measure.name.split(',')[0];
    return {
      claim: `${claim} (${what}${where})`,
      outcome: outcomeOf(own, 'lower'),
      evidence: `${measure.name}: ${inSize(own, measure)} against ${b}, ${own.count} seeds${inP(own)}.`,
    };
  });
  const best = rows.find(({ gater }) => gater === BEST);
  return [...findings, ...(best ? [bestOfAll(best, rows, where)] : [])];
}

const inSize = (own: Interval, measure: Measure): string =>
  measure === CRITERION ? withFactor(own) : `${withHalf(own, points)} points`;

function bestOfAll(best: Runs, rows: readonly Runs[], where: string): Finding {
  const others = rows.filter(({ gater, published }) => gater !== best.gater && published);
  const model = modelOf(rows, TEST);
  const verdicts = others.map((other) => ({ gater: other.gater, is: verdict(model.apart(best.gater, other.gater)) }));
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
  const model = modelOf(rows, TEST);
  const sorted = rows.toSorted((a, b) => model.mean(a.gater) - model.mean(b.gater));
  return {
    title: 'Ranking by test error, threshold, and the ranks that Tukey’s intervals leave',
    head: ['gater', 'rank', 'may be', 'published rank', 'test, threshold'],
    rows: sorted.map((row, i) => {
      const against = rows
        .filter((other) => other !== row)
        .map((other) => verdict(model.apart(row.gater, other.gater)));
      const first = 1 + against.filter((is) => is === 'worse').length;
      const last = rows.length - against.filter((is) => is === 'better').length;
      const published = ROWS.flatMap((other) => other.published?.test ?? []).toSorted((a, b) => a - b);
      const rank = row.published ? `${published.indexOf(row.published.test) + 1} of ${published.length}` : '';
      return [row.gater, String(i + 1), `${first} to ${last}`, rank, withHalf(model.level(row.gater), points)];
    }),
  };
}

/** The test error of a row with a threshold, in percent with two digits, and its interval. */
export interface TestLevel {
  readonly gater: string;
  readonly seeds: number;
  readonly mean: number;
  readonly half: number;
  readonly published?: number;
}

/** The test errors of the table, row by row. */
export function testLevels(finished: readonly TableDone[]): TestLevel[] {
  const rows = runsOf(finished);
  const model = modelOf(rows, TEST);
  return rows.map(({ gater, finals, published }) => {
    const { mean, half } = model.level(gater);
    const [level, reach] = [mean, half].map((x) => Number(points(x)));
    return { gater, seeds: finals.length, mean: level, half: reach, ...(published && { published: published.test }) };
  });
}

function levelsOf(rows: readonly Runs[], besidePublished: boolean): ReportTable {
  const share = (x: number): string => (100 * x).toFixed(1);
  const work = (x: number): string => (x / 1e6).toFixed(2);
  const mean = ({ finals }: Runs, of: (final: Final) => number): number => interval(finals.map(of)).mean;
  const models = new Map(ERRORS.map((measure) => [measure.name, modelOf(rows, measure)]));
  const level = ({ gater }: Runs, { name }: Measure): Interval => (models.get(name) as RowsModel).level(gater);
  const criterion = (of: 'sampled' | 'threshold'): RowsModel =>
    modelOf(rows, { name: of, of: (final) => Math.log(final.criterion[of]) });
  const criteria = { sampled: criterion('sampled'), threshold: criterion('threshold') };
  return {
    title: `Errors in percent, means over seeds with 95% intervals of one model; criteria in nats, geometric means${besidePublished ? ', published figures in brackets' : ''}`,
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
        `${geometric(criteria.sampled.level(row.gater), nats)}${inBrackets(train)}`,
        geometric(criteria.threshold.level(row.gater), nats),
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
  const models = new Map([VALID, TEST].map((measure) => [measure, modelOf(rows, measure)]));
  const cell = (row: Runs, baseline: Runs, measure: Measure): string => {
    if (row === baseline) return '';
    const own = (models.get(measure) as RowsModel).apart(row.gater, baseline.gater);
    return `${withHalf(own, points)}: ${verdict(own)}`;
  };
  return {
    title: 'Against the baselines, points of error: Tukey’s intervals, which hold together for all pairs of rows',
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
    head: ['gater', 'setting', 'valid, %', 'valid, nats', 'open at the end, %', 'chosen'],
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
function apart(model: RowsModel): { readonly told: number; readonly pairs: number } {
  const { rows } = model;
  const verdicts = rows.flatMap((row, i) => rows.slice(i + 1).map((other) => verdict(model.apart(row, other))));
  return { told: verdicts.filter((is) => is !== 'not shown').length, pairs: verdicts.length };
}

/** What a reader takes home, from means and verdicts alone. */
function learntOf(rows: readonly Runs[], onMnist: boolean): string[] {
  const model = modelOf(rows, TEST);
  const sorted = rows.toSorted((a, b) => model.mean(a.gater) - model.mean(b.gater));
  const [first, last] = [sorted[0], sorted[sorted.length - 1]];
  const told = ({ gater }: Runs): string => `${gater} (${withHalf(model.level(gater), points)}%)`;
  const levels = `Test errors lie between those of ${told(first)} and ${told(last)}, gates cut at a threshold${onMnist ? '' : '; digits that the library writes, not MNIST'}.`;
  const { told: pairsTold, pairs } = apart(model);
  const equal = sorted.slice(1).filter((row) => verdict(model.apart(first.gater, row.gater)) === 'not shown');
  const ranks = `Of ${pairs} pairs of gaters, the test tells ${pairsTold} apart; the first of the ranking is ${
    equal.length === 0
      ? 'told apart from all others'
      : `not told apart from ${equal.map(({ gater }) => gater).join(', ')}`
  }.`;
  const drawn = rows.filter(({ kind }) => kind === 'stochastic');
  const cut: Measure = { name: 'threshold less sampled', of: ({ test }) => 100 * (test.threshold - test.sampled) };
  const cuts = drawn.length > 0 ? judge(drawn.map(({ gater }) => modelOf(drawn, cut).level(gater))) : [];
  const means = cuts.map(({ mean }) => mean);
  const of = (is: string): number => cuts.filter((cut) => cut.verdict === is).length;
  const threshold = `Cutting gates at a threshold in the place of sampling them changes test errors by ${points(Math.min(...means))} to ${points(Math.max(...means))} points: fewer errors in ${of('better')} of ${cuts.length} stochastic rows, more in ${of('worse')}, not shown in ${of('not shown')}.`;
  const gated = rows.filter(({ width }) => width === 1);
  const factors = gated.map((row) => interval(row.finals.map(({ multiplyAdds: { all, test } }) => all / test)).mean);
  const work = `With one gate a unit, as in 2013, the wide nets execute ${Math.min(...factors).toFixed(1)} to ${Math.max(...factors).toFixed(1)} times fewer multiply-adds at test than with all experts computed: the gater remains. Blocks are what saves more (conditional-speed).`;
  const fits = onMnist
    ? rows.flatMap(({ finals, published }) =>
        published
          ? [Math.exp(interval(finals.map(({ criterion }) => Math.log(criterion.sampled))).mean) / published.train]
          : [],
      )
    : [];
  const fit = `Training criteria, sampled as theirs, are ${factor(Math.min(...fits))} to ${factor(Math.max(...fits))} times those published: as far as errors are higher, shorter training may be why.`;
  return [
    levels,
    ranks,
    ...(fits.length > 0 ? [fit] : []),
    ...(cuts.length > 0 ? [threshold] : []),
    ...(gated.length > 0 ? [work] : []),
  ];
}

/** Which train, and what the ranking is worth. */
function answerOf(rows: readonly Runs[], onMnist: boolean): Answer | undefined {
  const model = modelOf(rows, TEST);
  if (!onMnist || rows.length < 2 || model.seeds < 2) return undefined;
  const stochastic = rows.filter(({ kind }) => kind === 'stochastic');
  const trained = stochastic.filter(({ gater }) => isWithin(endsOf(model.level(gater)), STOCHASTIC_LIMIT) === 'holds');
  const { told, pairs } = apart(model);
  const short = rows.filter((row) => shortOf(row) !== undefined);
  const first = rows.find(({ gater }) => gater === BEST);
  const best = first && bestOfAll(first, rows, '');
  return {
    verdict: `${trained.length} of ${stochastic.length} ways to train gates that open and close at random are shown to come to at most ${STOCHASTIC_LIMIT}% errors on MNIST, ${
      best?.outcome === 'holds'
        ? 'and straight-through is shown to be the best'
        : best?.outcome === 'refuted'
          ? 'and straight-through is shown not to be the best'
          : `and which is the best cannot be told from a table like the published one: here ${pairs - told} of ${pairs} pairs lie closer together than chance moves them`
    }.`,
    change: `${short.length > 0 ? `Training for as long as the authors did (${short.map((row) => `${row.gater}: ${shortOf(row)}`).join('; ')}); ` : ''}more seeds, since differences of a tenth of a point need about ten times as many.`,
  };
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
  const model = modelOf(rows, TEST);
  const measured = rows.map((row) => ({
    name: row.gater,
    measured: model.level(row.gater),
    ...(onMnist && row.published && { published: row.published.test }),
  }));
  const answer = answerOf(rows, onMnist);
  return {
    ...(answer && { answer }),
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
        title: 'Validation error, by which the epoch is chosen',
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
