import { ratioChart } from '../../charts/interval-chart.ts';
import { lineChart } from '../../charts/line-chart.ts';
import { type Answer, atBudget, type Finding, type Report, type ReportTable } from '../kit/experiment.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { percent } from '../kit/records.ts';
import { RowsModel } from '../kit/rows-model.ts';
import {
  type Compared,
  geometric,
  type Interval,
  inP,
  interval,
  judge,
  LATE,
  tally,
  withFactor,
  withHalf,
} from '../kit/statistics.ts';
import { ARMS, TARGET } from './arms.ts';
import type { NoiseDone } from './trial.ts';

const PLAIN = 'deterministic';
const BINARY = 'binary stochastic';

/** An arm that never came under the target counts as one epoch more than there were: a lower bound. */
const slowness = ({ trial, result }: NoiseDone): number => result.epochsToTarget ?? trial.epochs + 1;

interface Measure {
  readonly name: string;
  of(done: NoiseDone): number;
  show(value: number): string;
  /** Compared by ratios: arms differ by factors, and so do their deviations. */
  readonly byRatio?: true;
}
const CRITERION: Measure = {
  name: 'training criterion, nats',
  of: ({ result }) => result.trainLoss,
  show: (x) => x.toPrecision(3),
  byRatio: true,
};
const TRAIN: Measure = { name: 'training error, %', of: ({ result }) => result.trainError, show: percent };
const TEST: Measure = { name: 'test error, noise off, %', of: ({ result }) => result.test.meanField, show: percent };
const SAMPLED: Measure = { name: 'test error, sampled, %', of: ({ result }) => result.test.sampled, show: percent };
const SPEED: Measure = { name: `epochs to ${TARGET} nats`, of: slowness, show: (x) => x.toFixed(1), byRatio: true };
const MEASURES: readonly Measure[] = [CRITERION, TRAIN, TEST, SAMPLED, SPEED];

/** What is claimed of binary units, and whether its measure is said to be lower or higher than that of the deterministic net. */
const CLAIMS: readonly { words: string; measure: Measure; claimed: 'lower' | 'higher' }[] = [
  { words: 'Binary stochastic units do worse on the training set', measure: CRITERION, claimed: 'higher' },
  { words: 'They train slower', measure: SPEED, claimed: 'higher' },
  { words: 'They do better on the test set', measure: TEST, claimed: 'lower' },
];

/** One size: a width and a number of examples. */
interface Size {
  readonly where: string;
  readonly own: readonly NoiseDone[];
}

const armsOf = (own: readonly NoiseDone[]): string[] =>
  Object.keys(ARMS).filter((arm) => own.some(({ trial }) => trial.arm === arm));

/** The model of all arms of a size together, of the seeds that all of them have; logarithms where ratios are compared. */
function modelOf(own: readonly NoiseDone[], { of, byRatio }: Measure): RowsModel {
  const arms = armsOf(own);
  const runs = (arm: string) => own.filter(({ trial }) => trial.arm === arm);
  const seeds = seedsOf(own);
  return new RowsModel(
    new Map(
      arms.map((arm) => {
        const bySeed = new Map(runs(arm).map((done) => [done.trial.seed, of(done)]));
        const values = seeds.map((seed) => bySeed.get(seed) as number);
        return [arm, byRatio ? values.map(Math.log) : values];
      }),
    ),
  );
}

/** Seeds that every arm has. */
function seedsOf(own: readonly NoiseDone[]): number[] {
  const arms = armsOf(own);
  return [...Map.groupBy(own, ({ trial }) => trial.seed)].flatMap(([seed, runs]) =>
    arms.every((arm) => runs.some(({ trial }) => trial.arm === arm)) ? [seed] : [],
  );
}

/** The difference of an arm to another; of logarithms where ratios are compared. */
const against = (own: readonly NoiseDone[], arm: string, measure: Measure, other = PLAIN): Compared =>
  modelOf(own, measure).difference(arm, other);

/** A difference or a ratio in words. */
const inSize = (own: Interval, { byRatio, show }: Measure): string => (byRatio ? withFactor(own) : withHalf(own, show));

/** The logarithm of the ratio of every arm to the deterministic net: a model over arms of its mean over sizes. */
function inAll(sizes: readonly Size[], measure: Measure): RowsModel {
  const arms = armsOf(sizes.flatMap(({ own }) => own)).filter((arm) =>
    sizes.every(({ own }) => armsOf(own).includes(arm)),
  );
  const seeds = seedsOf(sizes[0].own).filter((seed) => sizes.every(({ own }) => seedsOf(own).includes(seed)));
  const value = (own: readonly NoiseDone[], arm: string, seed: number): number =>
    Math.log(measure.of(own.find(({ trial }) => trial.arm === arm && trial.seed === seed) as NoiseDone));
  return new RowsModel(
    new Map(
      arms.map((arm) => [
        arm,
        seeds.map((seed) => sizes.reduce((sum, { own }) => sum + value(own, arm, seed), 0) / sizes.length),
      ]),
    ),
  );
}

/** Where no run came under the target, nothing was measured. */
const isMeasured = (own: readonly NoiseDone[], measure: Measure): boolean =>
  measure !== SPEED || own.some(({ result }) => result.epochsToTarget !== undefined);

/** The three claims in all sizes together: one family. */
function overall(sizes: readonly Size[]): Finding[] {
  const ratios = judge(CLAIMS.map(({ measure }) => inAll(sizes, measure).difference(BINARY, PLAIN)));
  return CLAIMS.map(({ words, measure, claimed }, i) => {
    const measured = sizes.every(({ own }) => isMeasured(own, measure));
    const late = measure === TEST ? sizes.filter(({ own }) => lateArms(own, [PLAIN, BINARY]).length > 0).length : 0;
    const finding: Finding = {
      claim: `${words} (in all ${sizes.length} sizes together)`,
      outcome: measured ? outcomeOf(ratios[i], claimed) : 'not tested',
      evidence: `${measure.name}: ${withFactor(ratios[i])} that of the deterministic net, ${ratios[i].count} seeds${inP(ratios[i])}.`,
    };
    return atBudget(
      finding,
      late > 0 ? `in ${late} of ${sizes.length} sizes the best epoch is on average among the last tenth` : undefined,
    );
  });
}

/** The claims size by size: one family, and the training error with the noise off beside the first. */
function bySize(sizes: readonly Size[]): Finding[] {
  const asked = sizes.flatMap(({ where, own }) => CLAIMS.map((claim) => ({ ...claim, where, own })));
  const judged = judge(
    asked.map(({ own, measure }) => {
      const found = against(own, BINARY, measure);
      return isMeasured(own, measure) ? found : { ...found, p: Number.NaN };
    }),
  );
  return asked.map(({ words, measure, claimed, where, own }, i) => {
    const found = judged[i];
    const off =
      measure === CRITERION ? ` Without noise, ${TRAIN.name}: ${inSize(against(own, BINARY, TRAIN), TRAIN)}.` : '';
    const finding: Finding = {
      claim: `${words} (${where})`,
      outcome: isMeasured(own, measure) ? outcomeOf(found, claimed) : 'not tested',
      evidence: `${measure.name}: ${inSize(found, measure)} against the deterministic net, ${found.count} seeds${inP(found)}.${off}`,
    };
    const late = lateArms(own, [PLAIN, BINARY]);
    const short = `the best epoch is on average among the last tenth of ${own[0].trial.epochs} for ${late.join(' and ')}`;
    return atBudget(finding, measure === TEST && late.length > 0 ? short : undefined);
  });
}

/** How many sizes show a lower, a higher and no different measure of one arm than of another. */
function counted(sizes: readonly Size[], arm: string, measure: Measure, other = PLAIN): string {
  const judged = judge(sizes.map(({ own }) => against(own, arm, measure, other)));
  const of = (is: string): number => judged.filter((own) => own.verdict === is).length;
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
    .map((arm) => ({ arm, ratio: inAll(sizes, TEST).difference(arm, PLAIN) }))
    .toSorted((a, b) => a.ratio.mean - b.ratio.mean)
    .map(({ arm, ratio }) => `${arm} ${withFactor(ratio)}`);
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
  const models = MEASURES.map((measure) => ({ measure, model: modelOf(own, measure) }));
  const level = (found: Interval, { byRatio, show }: Measure): string =>
    byRatio ? geometric(found, show) : withHalf(found, show);
  const rows = armsOf(own).map((arm) => [
    arm,
    ...models.flatMap(({ measure, model }) => [
      level(model.level(arm), measure),
      arm === PLAIN || !model.rows.includes(PLAIN) ? '' : inSize(model.difference(arm, PLAIN), measure),
    ]),
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

/** Binary units against the deterministic net, in the words of a newcomer. */
function answerOf(sizes: readonly Size[]): Answer | undefined {
  const whole = sizes.every(({ own }) => [PLAIN, BINARY].every((arm) => armsOf(own).includes(arm)));
  if (!whole || sizes.some(({ own }) => seedsOf(own).length < 2)) return undefined;
  const [criterion, speed] = [CRITERION, SPEED].map((measure) => inAll(sizes, measure).difference(BINARY, PLAIN));
  const tested = judge(sizes.map(({ own }) => against(own, BINARY, TEST)));
  const { better, worse } = tally(tested);
  const late = sizes.filter(({ own }) => lateArms(own, [PLAIN, BINARY]).length > 0).length;
  const times = ({ mean }: Interval): string => Math.exp(mean).toFixed(1);
  return {
    verdict: `Units that fire at random take ${times(speed)} times the epochs of smooth units to learn their training data, and end at ${times(criterion)} times their training criterion (their own noise included); on new data they err less in ${better} of ${sizes.length} sizes, more in ${worse}, and in the others no difference is shown: ${better === sizes.length ? 'a regulariser' : better > 0 ? 'a regulariser at some sizes, not one to count on' : 'no regulariser here'}.`,
    change: `Longer training, which in ${late} of ${sizes.length} sizes was still lowering the errors; a learning rate chosen for every kind of unit (one rate is used for all), two hidden layers, and dropout tuned as well as the rest.`,
  };
}

/** The test errors of all sizes in one chart. */
const ratiosOf = (sizes: readonly Size[]): string[] =>
  sizes.every(({ own }) => [PLAIN, BINARY].every((arm) => armsOf(own).includes(arm)))
    ? [
        ratioChart({
          title: 'Test error of binary stochastic units over that of smooth units',
          xLabel: 'times the errors of the deterministic net on new data (left of the line: fewer)',
          rows: sizes.map(({ where, own }) => ({
            name: where,
            measured: modelOf(own, { ...TEST, byRatio: true }).difference(BINARY, PLAIN),
          })),
        }),
      ]
    : [];

/** What the finished trials say, size by size and in all. */
export function reportHintonNoise(finished: readonly NoiseDone[]): Report {
  const groups = Map.groupBy(finished, ({ trial }) => `${trial.units} units, ${trial.examples} examples`);
  const sizes = [...groups].map(([where, own]) => ({ where, own }));
  const answer = answerOf(sizes);
  return {
    ...(answer && { answer }),
    findings: [...(sizes.length > 1 ? overall(sizes) : []), ...bySize(sizes)],
    learnt: learntOf(sizes),
    tables: sizes.map(tableOf),
    charts: [...ratiosOf(sizes), ...sizes.map(chartOf)],
  };
}
