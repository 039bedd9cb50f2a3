import {
  adam,
  createModel,
  type Dataset,
  dense,
  digitsSplit,
  epochOrder,
  evaluate,
  type NeuronSpec,
  type Split,
  subset,
  train,
} from '../src/index.ts';
import { createEngine, loadDataset } from '../src/platform/node/index.ts';
import { dropout } from './dropout.ts';
import type { CellOptions, Experiment, Finding, Finished, Report } from './experiment.ts';
import { lineChart } from './line-chart.ts';
import { percent } from './records.ts';
import { type Interval, interval, paired } from './statistics.ts';

/** Hidden units that are compared; the first is the deterministic net. */
const ARMS: Readonly<Record<string, NeuronSpec>> = {
  deterministic: 'sigmoid',
  'binary stochastic': 'straight-through-derivative',
  'as if deterministic': 'as-if-deterministic',
  dropout,
  'Gaussian noise': 'noisy-sigmoid',
};
const PLAIN = 'deterministic';
const BINARY = 'binary stochastic';
const BATCH = 50;
const LEARNING_RATE = 0.001;
/** Nats of the training criterion as sampled. */
const TARGET = 0.2;

export interface NoiseCell {
  readonly data: 'digits' | 'mnist';
  readonly arm: string;
  readonly examples: number;
  readonly units: number;
  readonly epochs: number;
  readonly seed: number;
}

export interface NoiseResult {
  /** Training criterion of the last epoch, as sampled, in nats. */
  readonly trainLoss: number;
  /** Training error of the weights of the best epoch on validation, noise off. */
  readonly trainError: number;
  readonly test: { readonly sampled: number; readonly meanField: number };
  /** First epoch whose criterion is under the target; none when there is none. */
  readonly epochsToTarget?: number;
  readonly curve: readonly { readonly trainLoss: number; readonly validError: number }[];
  readonly dataChecksum: string;
  readonly engine: string;
}

type Done = Finished<NoiseCell, NoiseResult>;

const grid =
  (data: NoiseCell['data'], widths: readonly number[], sizes: readonly { examples: number; epochs: number }[]) =>
  (seeds: readonly number[]): NoiseCell[] =>
    seeds.flatMap((seed) =>
      sizes.flatMap((size) =>
        widths.flatMap((units) => Object.keys(ARMS).map((arm) => ({ data, arm, ...size, units, seed }))),
      ),
    );

/** The data, its training part cut to examples that the seed draws. */
async function load({ data, examples, seed }: NoiseCell, signal: AbortSignal): Promise<Split> {
  if (data === 'digits') return digitsSplit({ seed, train: examples, valid: 500, test: 1000, heldOutWriters: true });
  const split = await loadDataset('mnist', { signal });
  return { ...split, train: drawn(split.train, examples, seed) };
}

const drawn = (dataset: Dataset, count: number, seed: number): Dataset =>
  subset(dataset, epochOrder(dataset.count, seed, 1).slice(0, count));

async function run(cell: NoiseCell, { signal, onProgress }: CellOptions): Promise<NoiseResult> {
  const data = await load(cell, signal);
  const engine = await createEngine({ threads: 1 });
  try {
    const { seed, epochs } = cell;
    const layers = [dense(cell.units, ARMS[cell.arm]), dense(10)];
    const model = createModel(engine, { inputs: 784, seed, layers });
    const optimizer = adam({ learningRate: LEARNING_RATE });
    const curve: NoiseResult['curve'][number][] = [];
    for await (const event of train(model, data, {
      epochs,
      batch: BATCH,
      optimizer,
      signal,
      validation: 'mean-field',
    })) {
      if (event.event === 'batch') onProgress((event.epoch - 1 + event.batch / event.batches) / epochs);
      if (event.event === 'epoch') curve.push({ trainLoss: event.trainLoss, validError: event.validError });
      if (event.event !== 'result') continue;
      const reached = curve.findIndex(({ trainLoss }) => trainLoss <= TARGET);
      return {
        trainLoss: curve[curve.length - 1].trainLoss,
        trainError: evaluate(model, data.train).error,
        test: { sampled: event.testError.sampled, meanField: event.testError.meanField },
        ...(reached >= 0 && { epochsToTarget: reached + 1 }),
        curve,
        dataChecksum: event.dataChecksum,
        engine: event.engine,
      };
    }
    throw new Error('Training ended without a result.');
  } finally {
    engine.close();
  }
}

/** An arm that never came under the target counts as one epoch more than there were: a lower bound. */
const slowness = ({ cell, result }: Done): number => result.epochsToTarget ?? cell.epochs + 1;

const MEASURES = [
  { name: 'training criterion, nats', of: ({ result }: Done) => result.trainLoss, show: (x: number) => x.toFixed(4) },
  { name: 'training error, %', of: ({ result }: Done) => result.trainError, show: percent },
  { name: 'test error, noise off, %', of: ({ result }: Done) => result.test.meanField, show: percent },
  { name: 'test error, sampled, %', of: ({ result }: Done) => result.test.sampled, show: percent },
  { name: `epochs to ${TARGET} nats`, of: slowness, show: (x: number) => x.toFixed(1) },
] as const;
const [CRITERION, , TEST, , SPEED] = MEASURES;
type Measure = (typeof MEASURES)[number];

const withHalf = ({ mean, half }: Interval, show: (x: number) => string): string =>
  Number.isNaN(half) ? show(mean) : `${show(mean)} ± ${show(half)}`;

/** The difference of an arm to the deterministic net, seed by seed. */
function against(own: readonly Done[], arm: string, { of }: Measure): Interval {
  const pairs = own
    .filter(({ cell }) => cell.arm === arm)
    .flatMap((a) =>
      own.filter(({ cell }) => cell.arm === PLAIN && cell.seed === a.cell.seed).map((b) => [of(a), of(b)]),
    );
  return paired(
    pairs.map(([a]) => a),
    pairs.map(([, b]) => b),
  );
}

/** @param sign of the difference that the claim states */
function finding(own: readonly Done[], where: string, words: string, measure: Measure, sign: 1 | -1): Finding {
  const difference = against(own, BINARY, measure);
  const [low, high] = [difference.mean - difference.half, difference.mean + difference.half].map((x) => sign * x);
  const outcome = Math.min(low, high) > 0 ? 'holds' : Math.max(low, high) < 0 ? 'refuted' : 'not shown';
  const evidence = `${measure.name}: ${withHalf(difference, measure.show)} against the deterministic net, ${difference.count} seeds.`;
  return { claim: `${words} (${where})`, outcome, evidence };
}

/** Means over seeds with their intervals, epoch by epoch. */
function curveOf(own: readonly Done[], arm: string) {
  const curves = own.filter(({ cell }) => cell.arm === arm).map(({ result }) => result.curve);
  const points = curves[0].map((_, i) => {
    const { mean, half } = interval(curves.map((curve) => curve[i].validError));
    const band = Number.isNaN(half) ? 0 : half;
    return { x: i + 1, y: 100 * mean, low: 100 * Math.max(0, mean - band), high: 100 * (mean + band) };
  });
  return { name: arm, points };
}

function report(finished: readonly Done[]): Report {
  const groups = Map.groupBy(finished, ({ cell }) => `${cell.units} units, ${cell.examples} examples`);
  const findings: Finding[] = [];
  const tables: Report['tables'][number][] = [];
  const charts: string[] = [];
  for (const [where, own] of groups) {
    findings.push(
      finding(own, where, 'Binary stochastic units do worse on the training set', CRITERION, 1),
      finding(own, where, 'They train slower', SPEED, 1),
      finding(own, where, 'They do better on the test set', TEST, -1),
    );
    const arms = Object.keys(ARMS).filter((arm) => own.some(({ cell }) => cell.arm === arm));
    const rows = arms.map((arm) => [
      arm,
      ...MEASURES.flatMap((measure) => {
        const level = interval(own.filter(({ cell }) => cell.arm === arm).map(measure.of));
        return [withHalf(level, measure.show), arm === PLAIN ? '' : withHalf(against(own, arm, measure), measure.show)];
      }),
    ]);
    tables.push({ title: where, head: ['hidden units', ...MEASURES.flatMap(({ name }) => [name, 'against'])], rows });
    const { epochs } = own[0].cell;
    charts.push(
      lineChart({
        title: where,
        xLabel: 'epoch',
        yLabel: 'validation error, %, mean and 95% interval over seeds',
        series: arms.map((arm) => curveOf(own, arm)),
        xTicks: [1, Math.ceil(epochs / 2), epochs],
        yTicks: [0, 5, 10, 20],
      }),
    );
  }
  return { findings, tables, charts };
}

/** Is a net of binary stochastic units worse on train, slower, and better on test than the same net without noise? */
export const hintonNoise: Experiment<NoiseCell, NoiseResult> = {
  name: 'hinton-noise',
  title: 'Binary stochastic hidden units as a regulariser',
  claim: {
    text: 'It does worse on the training set and trains considerably slower. But it does significantly better on the test set! (unpublished result)',
    source: 'Hinton, Neural Networks for Machine Learning, lecture 9c, 2012',
    published: 'No numbers were published.',
  },
  setting: `784 → logistic hidden layer → 10, Adam ${LEARNING_RATE}, ${BATCH} examples a step, weights of the epoch with the best validation error. Every arm of a seed has the same data, order and first weights; the learning rate is one for all arms and not tuned. Dropout keeps half of the units, Gaussian noise has deviation 1. A difference counts where its 95% interval (Student’s t, paired by seed, each on its own) leaves out 0. An arm that never comes under ${TARGET} nats counts one epoch more than it ran. The criterion is as sampled: noise is in it.`,
  quick: { seeds: 3, cells: grid('digits', [100], [{ examples: 500, epochs: 100 }]) },
  full: {
    seeds: 5,
    cells: grid(
      'mnist',
      [100, 400],
      [
        { examples: 1000, epochs: 100 },
        { examples: 5000, epochs: 60 },
        { examples: 50_000, epochs: 20 },
      ],
    ),
  },
  nameOf: ({ arm, examples, units, seed }) => `${arm}, ${units} units, ${examples} examples, seed ${seed}`,
  // Examples trained on and validated on, by the width: a guess until a full grid has run.
  minutesOf: ({ data, examples, units, epochs }) =>
    0.02 + (epochs * (examples + (data === 'mnist' ? 3500 : 200)) * (units + 100)) / 4e8,
  run,
  report,
};
