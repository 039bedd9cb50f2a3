import type { Finding, Outcome, Report, ReportTable } from './experiment.ts';
import { lineChart } from './line-chart.ts';
import { logBand } from './log-band.ts';
import { percent } from './records.ts';
import { type Interval, interval, paired, type Share, shareOf, verdict, withHalf } from './statistics.ts';
import type { ArmName, WhyResult } from './why-slow.ts';
import { renderForms } from './why-slow-form.ts';
import { type Done, fastest, type Measure, mean, ratio, share, stepsTo, TARGET } from './why-slow-runs.ts';

/** What explains a smaller share is no reason. */
const TENTH = 0.1;
const WORDS: Readonly<Record<Measure, string>> = { sampled: 'as sampled', off: 'noise off' };
const NEVER = `Not every arm came under ${TARGET} nats.`;

/** The slow-down taken apart: from one arm to another, one thing changes. The first is the whole. */
const STEPS: readonly { name: string; from: ArmName; to: ArmName; reason?: string }[] = [
  { name: 'all of it: bits against the deterministic net', from: 'bits', to: 'deterministic' },
  {
    name: '1. noise of the gradient: many passes averaged',
    from: 'bits',
    to: 'bits, many passes',
    reason: 'The gradient becomes stochastic',
  },
  { name: '1a. of it, by 4 passes', from: 'bits', to: 'bits, 4 passes' },
  {
    name: '3. not the gradient: unbiased in its place',
    from: 'bits, many passes',
    to: 'bits, unbiased, many passes',
    reason: 'The gradient that is used is not the gradient of anything that is computed',
  },
  {
    name: '2. information lost in the pass',
    from: 'bits, unbiased, many passes',
    to: 'deterministic',
    reason: 'A bit in the place of p loses information',
  },
  {
    name: '2a. of it, by quantising: Gaussian noise of the same variance in its place',
    from: 'bits, unbiased, many passes',
    to: 'Gaussian noise, many passes',
    reason: 'It is lost by quantising, more than noise of that variance would lose',
  },
  { name: '2b. of it, by noise of that variance', from: 'Gaussian noise, many passes', to: 'deterministic' },
];

/** Logarithms of ratios of steps, and shares of the first in the mean, which add up. */
function partsOf(all: readonly Done[], measure: Measure): { log: Interval; share: Share }[] {
  const logs = STEPS.map(({ from, to }) => {
    const [a, b] = [from, to].map((arm) =>
      fastest(all, arm, measure).map(({ result }) => stepsTo(result.curve, measure)),
    );
    return a.map((steps, i) => Math.log(steps / b[i]));
  });
  return logs.map((own) => ({ log: interval(own), share: shareOf(own, logs[0]) }));
}

function shares(all: readonly Done[]): { table: ReportTable; findings: Finding[] } {
  const measures: Measure[] = ['sampled', 'off'];
  const parts = measures.map((measure) => partsOf(all, measure));
  const head = ['', ...measures.flatMap((measure) => [`slower, ${WORDS[measure]}`, `share, ${WORDS[measure]}`])];
  const rows = STEPS.map(({ name }, i) => [
    name,
    ...parts.flatMap((own) => {
      const { log, share: part } = own[i];
      return [`× ${withFactor(log)}`, i === 0 ? '' : inWords(part)];
    }),
  ]);
  const [sampled, off] = parts;
  const findings = STEPS.flatMap(({ reason }, i): Finding[] =>
    reason === undefined
      ? []
      : [
          {
            claim: `${reason}, and that slows training down`,
            outcome: Number.isFinite(sampled[i].share.value) ? isOver(sampled[i].share, TENTH) : 'not tested',
            evidence: !Number.isFinite(sampled[i].share.value + off[i].share.value)
              ? NEVER
              : `It explains ${inWords(sampled[i].share)} of the slow-down to ${TARGET} nats as sampled (× ${withFactor(sampled[0].log)}), and ${inWords(off[i].share)} with the noise off (× ${withFactor(off[0].log)}), ${sampled[i].log.count} seeds.`,
          },
        ],
  );
  return { table: { title: `Shares of the slow-down to ${TARGET} nats`, head, rows }, findings };
}

/** A ratio with its interval, from its logarithm. */
const withFactor = ({ mean: middle, half }: Interval): string =>
  Number.isNaN(half)
    ? ratio(Math.exp(middle))
    : `${ratio(Math.exp(middle))} (${ratio(Math.exp(middle - half))} to ${ratio(Math.exp(middle + half))})`;

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

/** `holds` where the whole interval is over the bound, `refuted` where it is under. */
function isOver({ low, high }: Share, bound: number): Outcome {
  if (low > bound) return 'holds';
  return high < bound ? 'refuted' : 'not shown';
}

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
function learntOf(all: readonly Done[]): string[] {
  const [sampled, off] = (['sampled', 'off'] as const).map((measure) => partsOf(all, measure));
  if (![...sampled, ...off].every(({ log }) => Number.isFinite(log.mean))) return [];
  const reasons = STEPS.flatMap(({ name }, i) =>
    /^[123]\./.test(name) ? [{ name: name.slice(3), at: i }] : [],
  ).toSorted((a, b) => sampled[b.at].share.value - sampled[a.at].share.value);
  const told = reasons.map(
    ({ name, at }) => `${name}, ${inWords(sampled[at].share)}; with the noise off ${inWords(off[at].share)}`,
  );
  const [{ log: slow }, { log: slowOff }] = [sampled[0], off[0]];
  const errors = [...GAINS, 'curvature penalty' as const].map((arm) => {
    const own = paired(errorsOf(all, arm, 'off'), errorsOf(all, 'deterministic', 'off'));
    return `${arm} ${withHalf(own, percent)} (${verdict(own)})`;
  });
  return [
    `Bits take × ${withFactor(slow)} the steps of the deterministic net to ${TARGET} nats as sampled, and × ${withFactor(slowOff)} with the noise off.`,
    `Shares of the logarithm of that, the largest first: ${told.join('. ')}. One thing is changed at a time, in the order of the table; other orders were not tried.`,
    `Test error against the deterministic net, points, noise off: ${errors.join('; ')}.`,
    ...atTheEdge(all),
  ];
}

/** What the records say: shares of the slow-down, the form of the noise, and what the curvature penalty gives alone. */
export function renderWhySlow(all: readonly Done[]): Report {
  const slow = shares(all);
  const form = renderForms(all);
  const regular = regularisation(all);
  return {
    findings: [...slow.findings, ...form.findings, ...regular.findings],
    learnt: [...learntOf(all), ...form.learnt],
    tables: [slow.table, armsTable(all), variances(all), form.table, regular.table],
    charts: [curves(all, 'sampled'), curves(all, 'off'), form.chart],
  };
}
