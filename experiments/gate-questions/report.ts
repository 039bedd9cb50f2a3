import { ratioChart } from '../../charts/interval-chart.ts';
import { bestRate } from '../kit/best-rate.ts';
import type { Answer, Finding, Outcome, Report, ReportTable } from '../kit/experiment.ts';
import { endsOf, isOver, isWithin, outcomeOf } from '../kit/outcome.ts';
import { percent } from '../kit/records.ts';
import { RowsModel } from '../kit/rows-model.ts';
import { inP, interval, type Judged, judge, mean, withFactor, withHalf } from '../kit/statistics.ts';
import { QUESTIONS, type Question } from './arms.ts';
import type { QuestionDone } from './trial.ts';

const NAMES = Object.keys(QUESTIONS) as Question[];
const armsOf = (question: Question): string[] => Object.keys(QUESTIONS[question].arms);

/** Runs of an arm at its best rate. */
const runsOf = (finished: readonly QuestionDone[], question: Question, arm: string): QuestionDone[] =>
  bestRate(
    finished.filter(({ trial }) => trial.question === question && trial.arm === arm),
    ({ result }) => result.validError,
  );

/** A question whose arms have all run: errors as logarithms, so that differences are ratios. */
interface Asked {
  readonly question: Question;
  readonly runs: ReadonlyMap<string, readonly QuestionDone[]>;
  /** Every arm but the first against the first. */
  readonly against: ReadonlyMap<string, Judged>;
}

function asked(finished: readonly QuestionDone[]): Asked[] {
  return NAMES.flatMap((question): Asked[] => {
    const arms = armsOf(question);
    const runs = new Map(arms.map((arm) => [arm, runsOf(finished, question, arm)]));
    const counts = new Set([...runs.values()].map(({ length }) => length));
    if (counts.size > 1 || counts.has(0)) return [];
    const model = new RowsModel(
      new Map([...runs].map(([arm, own]) => [arm, own.map(({ result }) => Math.log(result.testError))])),
    );
    const [first, ...rest] = arms;
    const judged = judge(rest.map((arm) => model.difference(arm, first)));
    return [{ question, runs, against: new Map(rest.map((arm, i) => [arm, judged[i]])) }];
  });
}

/** Claims of an arm against the first of its question, that it errs less or more; what was expected of them is in the setting. */
const HYPOTHESES: readonly { question: Question; arm: string; claimed: 'lower' | 'higher'; claim: string }[] = [
  {
    question: 'sparse updates',
    arm: 'an eighth of the updates',
    claimed: 'lower',
    claim: 'Sparse updates lower the test error by themselves',
  },
  {
    question: 'k of n',
    arm: '4 of 32 blocks of 32',
    claimed: 'lower',
    claim: 'Four small blocks of 32 err less than one large block of 8, for the same work of experts',
  },
  {
    question: 'learnt gates',
    arm: 'hash routing',
    claimed: 'higher',
    claim: 'Gates that learn err less than hash routing',
  },
  { question: 'learnt gates', arm: 'random', claimed: 'higher', claim: 'Gates that learn err less than random gates' },
];

function findingsOf(all: readonly Asked[]): Finding[] {
  const closed = all.find(({ question }) => question === 'closed gates');
  const others = HYPOTHESES.flatMap(({ question, arm, claimed, claim }): Finding[] => {
    const own = all.find((candidate) => candidate.question === question)?.against.get(arm);
    if (!own) return [];
    const [first] = armsOf(question);
    return [
      {
        claim,
        outcome: outcomeOf(own, claimed),
        evidence: `Test error of ${arm}: ${withFactor(own)} that of ${first}, ${own.count} seeds${inP(own)}.`,
      },
    ];
  });
  return [...(closed ? closedFindings(closed) : []), ...others];
}

const deadOf = (runs: readonly QuestionDone[] = []) => interval(runs.map(({ result }) => result.dead));

function closedFindings({ runs, against }: Asked): Finding[] {
  const [before, nudged] = ['as in 2013', 'nudged'].map((arm) => deadOf(runs.get(arm)));
  const errors = against.get('nudged') as Judged;
  const told = (own: typeof before): string => `${withHalf(own, percent)}% of the gates were dead at the end`;
  return [
    {
      claim: 'At a learning rate of 0.3 over half of the noisy rectifier’s gates close for good',
      outcome: isOver(endsOf(before), 0.5),
      evidence: `${told(before)}, ${before.count} seeds.`,
    },
    {
      claim: 'A nudge of the biases keeps all but a tenth of them open',
      outcome: isWithin(endsOf(nudged), 0.1),
      evidence: `${told(nudged)}, ${nudged.count} seeds; test error ${withFactor(errors)} that without the nudge${inP(errors)}.`,
    },
  ];
}

const tableOf = ({ question, runs, against }: Asked): ReportTable => ({
  title: `${question}: errors in percent, means over seeds`,
  head: [
    'arm',
    'seeds',
    'rate',
    'valid',
    'test',
    'test over the first',
    'open at the end, %',
    'dead gates, %',
    'thousand multiply-adds, training',
  ],
  rows: [...runs].map(([arm, own]) => {
    const over = (of: (run: QuestionDone) => number): string => withHalf(interval(own.map(of)), percent);
    const ratio = against.get(arm);
    return [
      arm,
      String(own.length),
      String(own[0].trial.rate),
      over(({ result }) => result.validError),
      over(({ result }) => result.testError),
      ratio ? `${withFactor(ratio)}${inP(ratio)}` : '',
      over(({ result }) => result.open[result.open.length - 1]),
      over(({ result }) => result.dead),
      (mean(own.map(({ result }) => result.work)) / 1000).toFixed(0),
    ];
  }),
});

const WORDS: Readonly<Record<Outcome, string>> = {
  holds: 'yes',
  refuted: 'no',
  'not shown': 'no difference is shown',
  'not tested': 'not tested',
};

function answerOf(findings: readonly Finding[], onMnist: boolean): Answer | undefined {
  if (findings.length === 0 || findings.every(({ outcome }) => outcome === 'not shown')) return undefined;
  const told = findings.map(
    ({ claim, outcome }) => `${claim.replace(/^\p{Lu}/u, (first) => first.toLowerCase())}: ${WORDS[outcome]}`,
  );
  return {
    verdict: `On ${onMnist ? 'a few thousand digits of MNIST' : 'digits that the library writes'}: ${told.join('; ')}.`,
    change:
      'A harder task and more seeds: MNIST has little that different inputs need different parts for, and three seeds show large differences alone.',
  };
}

/** What the finished trials say, question by question. */
export function reportGateQuestions(finished: readonly QuestionDone[]): Report {
  const all = asked(finished);
  const findings = findingsOf(all);
  const answer = answerOf(
    findings,
    finished.every(({ trial }) => trial.data === 'mnist'),
  );
  const rows = all.flatMap(({ question, against }) =>
    [...against].map(([arm, measured]) => ({ name: `${question}: ${arm}`, measured })),
  );
  return {
    ...(answer && { answer }),
    findings,
    learnt: all.map(({ question, against }) => {
      const [first] = armsOf(question);
      const told = [...against].map(([arm, own]) => `${arm} ${withFactor(own)} (${own.verdict})`);
      return `${question}, test error over that of ${first}: ${told.join('; ')}.`;
    }),
    tables: all.map(tableOf),
    charts:
      rows.length > 0
        ? [
            ratioChart({
              title: 'Test error over that of the first arm of a question',
              xLabel: 'times the errors of the first arm (left of the line: fewer)',
              rows,
            }),
          ]
        : [],
  };
}
