import { atBudget, type Finding, type Outcome } from '../kit/experiment.ts';
import { endsOf, isWithin, outcomeOf } from '../kit/outcome.ts';
import { agrees, type Interval, inP, judge, verdict, withFactor, withHalf } from '../kit/statistics.ts';
import { type Measure, modelOf, points, type Runs, shortOf, TEST, VALID } from './row-runs.ts';

/** Targets of this repetition: percent of the test, with a threshold. */
const BEST_LIMIT = 1.5;
export const STOCHASTIC_LIMIT = 2;
/** Points around a published error within which a repetition agrees: two standard errors on 10,000 images. */
const TOLERANCE = 0.25;

/** The row that the paper found best. */
export const BEST = 'straight-through';

/** What is claimed of absolute errors, which other data say nothing of. */
export function levelFindings(rows: readonly Runs[], tested: boolean): Finding[] {
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
export function comparisons(rows: readonly Runs[], where: string): Finding[] {
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

export function bestOfAll(best: Runs, rows: readonly Runs[], where: string): Finding {
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
