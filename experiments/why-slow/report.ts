import { ratioChart } from '../../charts/interval-chart.ts';
import { lineChart } from '../../charts/line-chart.ts';
import type { Answer, Finding, Report, ReportTable } from '../kit/experiment.ts';
import { logBand } from '../kit/log-band.ts';
import { isOver, outcomeOf } from '../kit/outcome.ts';
import { percent } from '../kit/records.ts';
import {
  type Interval,
  inP,
  interval,
  judge,
  mean,
  paired,
  type Share,
  shareOf,
  withFactor,
  withHalf,
} from '../kit/statistics.ts';
import { renderForms } from './form-report.ts';
import { type Part, type Reason, type TakenApart, takenApart } from './orders.ts';
import { type Done, fastest, type Measure, ratio, share, stepsTo, TARGET, TARGETS } from './speed.ts';
import type { ArmName, WhyResult } from './trial.ts';

const WORDS: Readonly<Record<Measure, string>> = { sampled: 'as sampled', off: 'noise off' };
const NEVER = `Not every arm came under ${TARGET} nats.`;

/** The reasons, in the words of claims and of tables. The second of the three that were given is two things. */
const CLAIMED: Readonly<Record<Reason, { readonly claim: string; readonly name: string }>> = {
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

/** How much of the first reason fewer passes take away. */
const fewPasses = (all: readonly Done[], measure: Measure): Interval => {
  const [bits, four] = (['bits', 'bits, 4 passes'] as const).map((arm) =>
    fastest(all, arm, measure).map(({ result }) => Math.log(stepsTo(result.curve, measure))),
  );
  return paired(bits, four);
};

interface ByTarget {
  readonly target: number;
  readonly measure: Measure;
  readonly apart: TakenApart | undefined;
}

const allTargets = (all: readonly Done[]): ByTarget[] =>
  MEASURES.flatMap((measure) =>
    TARGETS.map((target) => ({ target, measure, apart: takenApart(all, measure, target) })),
  );
const MEASURES: readonly Measure[] = ['sampled', 'off'];

function shares(all: readonly Done[]): { tables: ReportTable[]; findings: Finding[]; byTarget: ByTarget[] } {
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

const armsOf = (all: readonly Done[]): ArmName[] => [...new Set(all.map(({ trial }) => trial.arm))];

function armsTable(all: readonly Done[]): ReportTable {
  const rows = armsOf(all).map((arm) => {
    const cells = (['sampled', 'off'] as const).flatMap((measure) => {
      const own = fastest(all, arm, measure);
      const steps = interval(own.map(({ result }) => stepsTo(result.curve, measure)));
      return [Number.isFinite(steps.mean) ? withHalf(steps, (x) => x.toFixed(0)) : 'never', `${own[0].trial.rate}`];
    });
    return [arm, ...cells];
  });
  const head = ['hidden units', 'steps, as sampled', 'learning rate', 'steps, noise off', 'learning rate'];
  return { title: `Steps to ${TARGET} nats of the training criterion`, head, rows };
}

/** Test error of two arms, paired by seed, at the rate that each is fastest at with the noise off. */
const errorsOf = (all: readonly Done[], arm: ArmName, measure: Measure): number[] =>
  fastest(all, arm, 'off').map(({ result }) => result.test[measure]);

/** The same difference to the deterministic net at one learning rate, whichever is fastest for either. */
function againstAt(all: readonly Done[], arm: ArmName, rate: number): string {
  if (arm === 'deterministic') return '';
  const [own, plain] = ([arm, 'deterministic'] as const).map((one) =>
    all
      .filter(({ trial }) => trial.arm === one && trial.rate === rate)
      .toSorted((a, b) => a.trial.seed - b.trial.seed)
      .map(({ result }) => result.test.off),
  );
  return withHalf(paired(own, plain), percent);
}

function regularisation(all: readonly Done[]): { table: ReportTable; findings: Finding[] } {
  const arms = armsOf(all);
  const against = (arm: ArmName, other: ArmName): Interval =>
    paired(errorsOf(all, arm, 'off'), errorsOf(all, other, 'off'));
  const rates = [...new Set(all.map(({ trial }) => trial.rate))].sort((a, b) => a - b);
  const rows = arms.map((arm) => [
    arm,
    withHalf(interval(errorsOf(all, arm, 'off')), percent),
    arm === 'deterministic' ? '' : withHalf(against(arm, 'deterministic'), percent),
    withHalf(interval(errorsOf(all, arm, 'sampled')), percent),
    ...(rates.length > 1 ? rates.map((rate) => againstAt(all, arm, rate)) : []),
  ]);
  const penalty = against('curvature penalty', 'deterministic');
  const [whole, part] = (['bits, many passes', 'curvature penalty'] as const).map((arm) => {
    const steps = [arm, 'deterministic' as const].map((one) =>
      fastest(all, one, 'off').map(({ result }) => stepsTo(result.curve, 'off')),
    );
    return steps[0].map((x, i) => Math.log(x / steps[1][i]));
  });
  const slow = shareOf(part, whole);
  return {
    table: {
      title:
        'Test error, % (best epoch on validation, noise off; each arm at the rate that is fastest with the noise off, then all at the same rate)',
      head: [
        'hidden units',
        'noise off',
        'against deterministic',
        'sampled',
        ...(rates.length > 1 ? rates.map((rate) => `both at rate ${rate}`) : []),
      ],
      rows,
    },
    findings: [
      ...GAINS.map((arm): Finding => {
        const gain = against(arm, 'deterministic');
        const gained = gain.mean + gain.half < 0;
        const part = gainShare(all, arm);
        return {
          claim: `The curvature penalty alone gives over half of what the noise gains on the test (${arm})`,
          outcome: gained ? isOver(part, 0.5) : 'not tested',
          evidence: `Test error against the deterministic net, in points: ${withHalf(penalty, percent)} with the penalty, ${withHalf(gain, percent)} with ${arm}; penalty against ${arm}: ${withHalf(against('curvature penalty', arm), percent)}. ${gained ? `The penalty gives ${inWords(part)} of it (Fieller’s interval).` : 'No gain is shown there, so that there is nothing to explain.'}`,
        };
      }),
      {
        claim: 'The curvature penalty alone slows the noise-free network down as the noise does',
        outcome: Number.isFinite(slow.value) ? isOver(slow, 0.5) : 'not tested',
        evidence: !Number.isFinite(slow.value)
          ? NEVER
          : `Steps to ${TARGET} nats with the noise off: it gives ${inWords(slow)} of the slow-down (of logarithms) of bits with many passes; the claim asks for over half.`,
      },
    ],
  };
}

/** Noise that the curvature penalty may stand for: as bits are trained, and by the gradient of the expected loss, noisy and averaged. */
const GAINS = ['bits', 'bits, unbiased', 'bits, unbiased, many passes'] as const satisfies readonly ArmName[];

/** How much of what an arm gains on the test against the deterministic net the curvature penalty gains alone. */
function gainShare(all: readonly Done[], arm: ArmName): Share {
  const [whole, part, none] = ([arm, 'curvature penalty', 'deterministic'] as const).map((one) =>
    errorsOf(all, one, 'off'),
  );
  return shareOf(
    part.map((x, i) => x - none[i]),
    whole.map((x, i) => x - none[i]),
  );
}

/** The share with its interval; alone where the seeds leave open whether there is anything to share. */
const inWords = ({ value, low, high }: Share): string =>
  Number.isFinite(high - low) ? `${share(value)} (${share(low)} to ${share(high)})` : share(value);

function variances(all: readonly Done[]): ReportTable {
  const runs = fastest(all, 'bits', 'sampled').map(({ result }) => result.probed);
  const neurons = [...new Set(runs.flatMap((rows) => rows.map(({ neuron }) => neuron)))];
  const rows = neurons.map((neuron) => {
    const own = runs.map((probed) => probed.filter((row) => row.neuron === neuron));
    const over = (f: (row: WhyResult['probed'][number]) => number): Interval =>
      interval(own.map((measured) => mean(measured.map(f))));
    const apart = interval(
      own.map((measured) => {
        const [distance, square] = (['distance', 'squaredMean'] as const).map((field) =>
          mean(measured.map((row) => row[field].value)),
        );
        return distance / square;
      }),
    );
    return [
      neuron,
      withHalf(
        over(({ variance }) => variance.value),
        (x) => x.toPrecision(2),
      ),
      withHalf(
        over((row) => row.ratio.value),
        ratio,
      ),
      own[0].some(({ trains }) => trains) ? '' : withHalf(apart, (x) => x.toFixed(3)),
    ];
  });
  return {
    title: 'Gradients at the hidden logits, along the training of bits',
    head: ['neuron', 'variance', 'over that of bits', 'distance² of the means, over the mean²'],
    rows,
  };
}

function curves(all: readonly Done[], measure: Measure): string {
  const arms: ArmName[] = [
    'deterministic',
    'curvature penalty',
    'bits',
    'bits, many passes',
    'bits, unbiased, many passes',
    'Gaussian noise, many passes',
    'mean of 4 bits',
  ];
  const shown = arms.map((arm) => ({ arm, runs: fastest(all, arm, measure).map(({ result }) => result.curve) }));
  const last = shown[0].runs[0].at(-1)?.step ?? 0;
  return lineChart({
    title: `Training criterion, ${WORDS[measure]}`,
    xLabel: 'steps',
    yLabel: 'nats, geometric mean and 95% interval over seeds; each arm at its best learning rate',
    series: shown.map(({ arm, runs }) => ({
      name: arm,
      points: runs[0].map(({ step }, i) =>
        logBand(
          step,
          runs.map((curve) => curve[i][measure]),
        ),
      ),
    })),
    log: { y: true },
    xTicks: [0, last / 2, last],
    yTicks: [0.01, 0.03, 0.1, 0.3, 1, 3],
    least: 0.01,
  });
}

/** Arms that are fastest at the highest learning rate of several: still higher ones may be faster. */
function atTheEdge(all: readonly Done[]): string[] {
  const rates = [...new Set(all.map(({ trial }) => trial.rate))];
  if (rates.length === 1) return [];
  const highest = Math.max(...rates);
  const told = (['sampled', 'off'] as const).flatMap((measure) => {
    const arms = armsOf(all).filter((arm) => fastest(all, arm, measure)[0].trial.rate === highest);
    return arms.length > 0 ? [`${WORDS[measure]}: ${arms.join('; ')}`] : [];
  });
  return told.length > 0
    ? [
        `Fastest at ${highest}, the highest learning rate that was tried, so that a higher one might be faster: ${told.join('. And ')}.`,
      ]
    : [];
}

/** What a reader takes home. */
function learntOf(all: readonly Done[], byTarget: readonly ByTarget[]): string[] {
  const [sampled, off] = MEASURES.map(
    (measure) => byTarget.find((own) => own.measure === measure && own.target === TARGET)?.apart,
  );
  if (!sampled || !off) return [];
  const told = sampled.parts
    .toSorted((a, b) => b.share.value - a.share.value)
    .map((part) => {
      const beside = off.parts.find(({ reason }) => reason === part.reason) as typeof part;
      return `${CLAIMED[part.reason].name}, ${inWords(part.share)}; with the noise off ${inWords(beside.share)}`;
    });
  const compared = judge(
    [...GAINS, 'curvature penalty' as const].map((arm) =>
      paired(errorsOf(all, arm, 'off'), errorsOf(all, 'deterministic', 'off')),
    ),
  );
  const errors = [...GAINS, 'curvature penalty' as const].map(
    (arm, i) => `${arm} ${withHalf(compared[i], percent)} (${compared[i].verdict})`,
  );
  const missing = byTarget
    .filter(({ apart }) => !apart)
    .map(({ target, measure }) => `${target} nats ${WORDS[measure]}`);
  return [
    `Bits take ${withFactor(sampled.whole)} the steps of the deterministic net to ${TARGET} nats as sampled, and ${withFactor(off.whole)} with the noise off.`,
    `Shares of the logarithm of that, the largest first, in the mean of ${sampled.orders.measured} of ${sampled.orders.all} orders of removal: ${told.join('. ')}.`,
    ...(missing.length > 0 ? [`Not every arm came under the other targets: ${missing.join('; ')} not measured.`] : []),
    `Four passes in the place of one take steps to ${TARGET} nats, as sampled, down by ${withFactor(fewPasses(all, 'sampled'))}.`,
    `Test error against the deterministic net, points, noise off: ${errors.join('; ')}.`,
    ...atTheEdge(all),
  ];
}

/** In a chart’s words. */
const SHORT: Readonly<Record<Reason, string>> = {
  'gradient noise': 'noise of the gradient',
  'wrong gradient': 'a wrong gradient',
  quantising: 'rounding to one bit',
  variance: 'noise in the pass itself',
};

function answerOf(byTarget: readonly ByTarget[]): { answer?: Answer; charts: string[] } {
  const sampled = byTarget.find(({ measure, target }) => measure === 'sampled' && target === TARGET)?.apart;
  if (!sampled || Number.isNaN(sampled.whole.half)) return { charts: [] };
  const [first, ...rest] = sampled.parts.toSorted((a, b) => b.share.value - a.share.value);
  const others = rest.map((part) => `${SHORT[part.reason]}, ${inWords(part.share)}`);
  return {
    answer: {
      verdict: `Random bits need ${Math.exp(sampled.whole.mean).toFixed(1)} times the steps that smooth units need, and ${SHORT[first.reason]} ${first.share.low > 0.5 ? 'explains most of it' : 'is the largest part'}, ${inWords(first.share)}; then come ${others.join('; ')}.`,
      change: `Finer learning rates, another net than one small layer, and lower targets: only steps to ${TARGETS.join(', ')} nats are counted here.`,
    },
    charts: [
      ratioChart({
        title: `What makes bits slow: steps to ${TARGET} nats, as sampled`,
        xLabel: 'times the steps that are needed because of it; the four multiply to the whole',
        rows: [
          { name: 'bits over smooth units: all of it', measured: sampled.whole },
          ...sampled.parts.map(({ reason, log }) => ({ name: SHORT[reason], measured: log })),
        ],
      }),
    ],
  };
}

/** What the records say: shares of the slow-down, the form of the noise, and what the curvature penalty gives alone. */
export function renderWhySlow(all: readonly Done[]): Report {
  const slow = shares(all);
  const form = renderForms(all);
  const regular = regularisation(all);
  const { answer, charts } = answerOf(slow.byTarget);
  return {
    ...(answer && { answer }),
    findings: [...slow.findings, ...form.findings, ...regular.findings],
    learnt: [...learntOf(all, slow.byTarget), ...form.learnt],
    tables: [...slow.tables, armsTable(all), variances(all), form.table, regular.table],
    charts: [...charts, curves(all, 'sampled'), curves(all, 'off'), form.chart],
  };
}
