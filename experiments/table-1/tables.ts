import type { ReportTable } from '../kit/experiment.ts';
import { percent } from '../kit/records.ts';
import type { RowsModel } from '../kit/rows-model.ts';
import { geometric, type Interval, interval, verdict, withHalf } from '../kit/statistics.ts';
import { ERRORS, type Final, type Measure, modelOf, nats, points, type Runs, runsOf, TEST, VALID } from './row-runs.ts';
import { type Published, ROWS } from './rows.ts';
import type { TableDone } from './trial.ts';

/** The ranks that a row may have: those that shown differences leave. */
export function rankingOf(rows: readonly Runs[]): ReportTable {
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

export function levelsOf(rows: readonly Runs[], besidePublished: boolean): ReportTable {
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

export function differencesOf(rows: readonly Runs[]): ReportTable {
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

export function searchesOf(finished: readonly TableDone[]): ReportTable {
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
