import { intervalChart } from '../../charts/interval-chart.ts';
import { lineChart } from '../../charts/line-chart.ts';
import type { Answer, Report } from '../kit/experiment.ts';
import { endsOf, isWithin } from '../kit/outcome.ts';
import type { RowsModel } from '../kit/rows-model.ts';
import { interval, judge, verdict, withHalf } from '../kit/statistics.ts';
import { BEST, bestOfAll, comparisons, levelFindings, STOCHASTIC_LIMIT } from './findings.ts';
import { type Measure, modelOf, points, type Runs, runsOf, shortOf, TEST } from './row-runs.ts';
import { differencesOf, levelsOf, rankingOf, searchesOf } from './tables.ts';
import type { TableDone } from './trial.ts';

const factor = (x: number): string => x.toFixed(x < 10 ? 1 : 0);

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
