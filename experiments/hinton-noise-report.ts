import { atBudget, type Finding, type Outcome, type Report, type ReportTable } from './experiment.ts';
import type { NoiseDone } from './hinton-noise.ts';
import { ARMS, TARGET } from './hinton-noise-arms.ts';
import { lineChart } from './line-chart.ts';
import { percent } from './records.ts';
import { type Interval, interval, LATE, paired, verdict, withHalf } from './statistics.ts';

const PLAIN = 'deterministic';
const BINARY = 'binary stochastic';

/** An arm that never came under the target counts as one epoch more than there were: a lower bound. */
const slowness = ({ trial, result }: NoiseDone): number => result.epochsToTarget ?? trial.epochs + 1;

interface Measure {
  readonly name: string;
  of(done: NoiseDone): number;
  show(value: number): string;
}
const CRITERION: Measure = {
  name: 'training criterion, nats',
  of: ({ result }) => result.trainLoss,
  show: (x) => x.toFixed(4),
};
const TRAIN: Measure = { name: 'training error, %', of: ({ result }) => result.trainError, show: percent };
const TEST: Measure = { name: 'test error, noise off, %', of: ({ result }) => result.test.meanField, show: percent };
const SAMPLED: Measure = { name: 'test error, sampled, %', of: ({ result }) => result.test.sampled, show: percent };
const SPEED: Measure = { name: `epochs to ${TARGET} nats`, of: slowness, show: (x) => x.toFixed(1) };
const MEASURES: readonly Measure[] = [CRITERION, TRAIN, TEST, SAMPLED, SPEED];

/** What is claimed of binary units, and the sign of the difference to the deterministic net that the claim states. */
const CLAIMS: readonly { words: string; measure: Measure; sign: 1 | -1 }[] = [
  { words: 'Binary stochastic units do worse on the training set', measure: CRITERION, sign: 1 },
  { words: 'They train slower', measure: SPEED, sign: 1 },
  { words: 'They do better on the test set', measure: TEST, sign: -1 },
];

/** One size: a width and a number of examples. */
interface Size {
  readonly where: string;
  readonly own: readonly NoiseDone[];
}

const armsOf = (own: readonly NoiseDone[]): string[] =>
  Object.keys(ARMS).filter((arm) => own.some(({ trial }) => trial.arm === arm));

/** A measure of an arm and of another, for every seed that has both. */
function pairsOf(own: readonly NoiseDone[], arm: string, other: string, { of }: Measure) {
  return own
    .filter(({ trial }) => trial.arm === arm)
    .flatMap((a) =>
      own
        .filter(({ trial }) => trial.arm === other && trial.seed === a.trial.seed)
        .map((b) => ({ seed: a.trial.seed, a: of(a), b: of(b) })),
    );
}

/** The difference of an arm to another, seed by seed. */
function against(own: readonly NoiseDone[], arm: string, measure: Measure, other = PLAIN): Interval {
  const pairs = pairsOf(own, arm, other, measure);
  return paired(
    pairs.map(({ a }) => a),
    pairs.map(({ b }) => b),
  );
}

/** The logarithm of the ratio of an arm to another: its mean over sizes, an interval over the seeds that all sizes have. */
function inAll(sizes: readonly Size[], arm: string, measure: Measure, other = PLAIN): Interval {
  const logs = sizes.map(
    ({ own }) => new Map(pairsOf(own, arm, other, measure).map(({ seed, a, b }) => [seed, Math.log(a / b)])),
  );
  const seeds = [...logs[0].keys()].filter((seed) => logs.every((bySeed) => bySeed.has(seed)));
  return interval(seeds.map((seed) => logs.reduce((sum, bySeed) => sum + (bySeed.get(seed) ?? 0), 0) / logs.length));
}

const factor = ({ mean, half }: Interval): string =>
  Number.isNaN(half)
    ? Math.exp(mean).toFixed(2)
    : `${Math.exp(mean).toFixed(2)} (${Math.exp(mean - half).toFixed(2)} to ${Math.exp(mean + half).toFixed(2)})`;

/** @param sign of the difference that is claimed */
function outcomeOf({ mean, half }: Interval, sign: 1 | -1): Outcome {
  const [low, high] = [mean - half, mean + half].map((x) => sign * x);
  if (Math.min(low, high) > 0) return 'holds';
  return Math.max(low, high) < 0 ? 'refuted' : 'not shown';
}

/** Where no run came under the target, nothing was measured. */
const isMeasured = (own: readonly NoiseDone[], measure: Measure): boolean =>
  measure !== SPEED || own.some(({ result }) => result.epochsToTarget !== undefined);

const overall = (sizes: readonly Size[]): Finding[] =>
  CLAIMS.map(({ words, measure, sign }) => {
    const ratio = inAll(sizes, BINARY, measure);
    const measured = sizes.every(({ own }) => isMeasured(own, measure));
    return {
      claim: `${words} (in all ${sizes.length} sizes together)`,
      outcome: measured ? outcomeOf(ratio, sign) : 'not tested',
      evidence: `${measure.name}: × ${factor(ratio)} that of the deterministic net, ${ratio.count} seeds.`,
    };
  });

const bySize = ({ where, own }: Size): Finding[] =>
  CLAIMS.map(({ words, measure, sign }) => {
    const difference = against(own, BINARY, measure);
    const finding: Finding = {
      claim: `${words} (${where})`,
      outcome: isMeasured(own, measure) ? outcomeOf(difference, sign) : 'not tested',
      evidence: `${measure.name}: ${withHalf(difference, measure.show)} against the deterministic net, ${difference.count} seeds.${measure === CRITERION ? ` Without noise, ${TRAIN.name}: ${withHalf(against(own, BINARY, TRAIN), TRAIN.show)}.` : ''}`,
    };
    const late = lateArms(own, [PLAIN, BINARY]);
    const short = `the best epoch is on average among the last tenth of ${own[0].trial.epochs} for ${late.join(' and ')}`;
    return atBudget(finding, measure === TEST && late.length > 0 ? short : undefined);
  });

/** How many sizes show a lower, a higher and no different measure of one arm than of another. */
function counted(sizes: readonly Size[], arm: string, measure: Measure, other = PLAIN): string {
  const verdicts = sizes.map(({ own }) => verdict(against(own, arm, measure, other)));
  const of = (is: string): number => verdicts.filter((own) => own === is).length;
  return `lower in ${of('better')} of ${sizes.length} sizes, higher in ${of('worse')}, not told apart in ${of('not shown')}`;
}

/** The epoch whose weights are kept: the first with the lowest validation error. */
function bestEpoch({ curve }: NoiseDone['result']): number {
  const errors = curve.map(({ validError }) => validError);
  return 1 + errors.indexOf(Math.min(...errors));
}

/** The arms whose best epoch is on average among the last tenth: of them, more epochs might be better. */
function lateArms(own: readonly NoiseDone[], arms: readonly string[]): string[] {
  const { epochs } = own[0].trial;
  return arms.filter((arm) => {
    const runs = own.filter(({ trial }) => trial.arm === arm);
    return interval(runs.map(({ result }) => bestEpoch(result))).mean > LATE * epochs;
  });
}

/** Sizes at which the epochs may not have been enough, and for which arms. */
function unfinished(sizes: readonly Size[], arms: readonly string[]): string[] {
  const told = sizes.flatMap(({ where, own }) => {
    const { epochs } = own[0].trial;
    const late = lateArms(own, arms);
    const whose = late.length === arms.length ? 'all' : late.join(', ');
    return late.length > 0 ? [`${where} (${epochs} epochs), ${whose}`] : [];
  });
  return told.length > 0
    ? [
        `The best epoch is on average among the last tenth, so that longer training might change errors: ${told.join('; ')}.`,
      ]
    : [];
}

/** What a reader takes home. */
function learntOf(sizes: readonly Size[]): string[] {
  const arms = armsOf(sizes.flatMap(({ own }) => own));
  if (!arms.includes(PLAIN) || !arms.includes(BINARY)) return [];
  const noisy = arms.filter((arm) => arm !== PLAIN);
  const ranked = noisy
    .map((arm) => ({ arm, ratio: inAll(sizes, arm, TEST) }))
    .toSorted((a, b) => a.ratio.mean - b.ratio.mean)
    .map(({ arm, ratio }) => `${arm} × ${factor(ratio)}`);
  return [
    `Binary stochastic units against the deterministic net: training criterion ${counted(sizes, BINARY, CRITERION)}; without noise, training error ${counted(sizes, BINARY, TRAIN)}; epochs to ${TARGET} nats ${counted(sizes, BINARY, SPEED)}; test error ${counted(sizes, BINARY, TEST)}.`,
    `Test error of every kind of noise over that of the deterministic net, the geometric mean of all sizes, lowest first: ${ranked.join('; ')}.`,
    ...noisy
      .filter((arm) => arm !== BINARY)
      .map((arm) => `Test error of binary units against ${arm}: ${counted(sizes, BINARY, TEST, arm)}.`),
    ...unfinished(sizes, arms),
  ];
}

/** Means over seeds with their intervals, epoch by epoch. */
function curveOf(own: readonly NoiseDone[], arm: string) {
  const curves = own.filter(({ trial }) => trial.arm === arm).map(({ result }) => result.curve);
  const points = curves[0].map((_, i) => {
    const { mean, half } = interval(curves.map((curve) => curve[i].validError));
    const band = Number.isNaN(half) ? 0 : half;
    return { x: i + 1, y: 100 * mean, low: 100 * Math.max(0, mean - band), high: 100 * (mean + band) };
  });
  return { name: arm, points };
}

function tableOf({ where, own }: Size): ReportTable {
  const rows = armsOf(own).map((arm) => [
    arm,
    ...MEASURES.flatMap((measure) => {
      const level = interval(own.filter(({ trial }) => trial.arm === arm).map(measure.of));
      return [withHalf(level, measure.show), arm === PLAIN ? '' : withHalf(against(own, arm, measure), measure.show)];
    }),
  ]);
  return { title: where, head: ['hidden units', ...MEASURES.flatMap(({ name }) => [name, 'against'])], rows };
}

/** The errors after the first fifth of the epochs fill the picture; earlier ones may leave it at the top. */
function chartOf({ where, own }: Size): string {
  const { epochs } = own[0].trial;
  const series = armsOf(own).map((arm) => curveOf(own, arm));
  const settled = series.flatMap(({ points }) => points.slice(Math.floor(points.length / 5)).map(({ high }) => high));
  const highest = Math.max(...settled);
  const step = [0.5, 1, 2, 5, 10, 20].find((size) => highest / size <= 5) ?? 50;
  const yTicks = Array.from({ length: Math.ceil(highest / step) + 1 }, (_, i) => i * step);
  return lineChart({
    title: where,
    xLabel: 'epoch',
    yLabel: 'validation error, %, noise off, mean and 95% interval over seeds',
    series,
    xTicks: [1, Math.ceil(epochs / 2), epochs],
    yTicks,
    most: yTicks[yTicks.length - 1],
  });
}

/** What the finished trials say, size by size and in all. */
export function reportHintonNoise(finished: readonly NoiseDone[]): Report {
  const groups = Map.groupBy(finished, ({ trial }) => `${trial.units} units, ${trial.examples} examples`);
  const sizes = [...groups].map(([where, own]) => ({ where, own }));
  return {
    findings: [...(sizes.length > 1 ? overall(sizes) : []), ...sizes.flatMap(bySize)],
    learnt: learntOf(sizes),
    tables: sizes.map(tableOf),
    charts: sizes.map(chartOf),
  };
}
