import { ratioChart } from '../../charts/interval-chart.ts';
import { lineChart } from '../../charts/line-chart.ts';
import type { Answer, Report, ReportTable } from '../kit/experiment.ts';
import { logBand } from '../kit/log-band.ts';
import { percent } from '../kit/records.ts';
import { type Interval, interval, judge, mean, paired, withFactor, withHalf } from '../kit/statistics.ts';
import { renderForms } from './form-report.ts';
import type { Reason } from './orders.ts';
import { armsOf, errorsOf, GAINS, regularisation } from './regularisation.ts';
import { type ByTarget, CLAIMED, inWords, MEASURES, shares, WORDS } from './shares.ts';
import { type Done, fastest, type Measure, ratio, stepsTo, TARGET, TARGETS } from './speed.ts';
import type { ArmName, WhyResult } from './trial.ts';

/** How much of the first reason fewer passes take away. */
const fewPasses = (all: readonly Done[], measure: Measure): Interval => {
  const [bits, four] = (['bits', 'bits, 4 passes'] as const).map((arm) =>
    fastest(all, arm, measure).map(({ result }) => Math.log(stepsTo(result.curve, measure))),
  );
  return paired(bits, four);
};

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
